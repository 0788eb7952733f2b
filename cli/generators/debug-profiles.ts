// The profiles of `debug`: the privileges of its container and pod. Pure.
import type { Container, Pod, PodSpec, SecurityContext } from "../../api/generated/types.ts";
import type { Draft } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";

/** How something is debugged: by a container in the pod, a copy of the pod, or a pod on the node. */
export type DebugStyle = "ephemeral" | "copy" | "node";

/** Which parts of a pod its copy keeps. */
export interface KeptParts {
  readonly keepLabels?: boolean;
  readonly keepAnnotations?: boolean;
  readonly keepLiveness?: boolean;
  readonly keepReadiness?: boolean;
  readonly keepStartup?: boolean;
  readonly keepInitContainers?: boolean;
}

type Context = SecurityContext | undefined;

const withCapabilities = (context: Context, ...added: readonly string[]): SecurityContext => ({
  ...context,
  capabilities: { ...context?.capabilities, add: [...(context?.capabilities?.add ?? []), ...added] },
});

/** A profile of the pod security standards, or with the privileges for a purpose. */
interface Profile {
  /** The security context of the debug container. */
  readonly context: (current: Context, style: DebugStyle) => Context;
  /** Whether a pod on a node shares its namespaces, and has its file system at `/host`. */
  readonly onNode: { readonly namespaces: boolean; readonly files: boolean };
}

const profiles: Readonly<Record<string, Profile>> = {
  legacy: { context: (current) => current, onNode: { namespaces: true, files: true } },
  general: {
    context: (current, style) => (style === "node" ? undefined : withCapabilities(current, "SYS_PTRACE")),
    onNode: { namespaces: true, files: true },
  },
  baseline: { context: () => undefined, onNode: { namespaces: false, files: false } },
  restricted: {
    context: () => ({
      capabilities: { drop: ["ALL"] },
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      seccompProfile: { type: "RuntimeDefault" },
    }),
    onNode: { namespaces: false, files: false },
  },
  netadmin: {
    context: (current) => withCapabilities(current, "NET_ADMIN", "NET_RAW"),
    onNode: { namespaces: true, files: false },
  },
  sysadmin: {
    context: (current) => ({ ...current, privileged: true }),
    onNode: { namespaces: true, files: true },
  },
};

/** Throws CliError for a profile that does not exist. */
export function checkProfile(name: string): void {
  if (!Object.hasOwn(profiles, name)) throw new CliError(`unknown profile: ${name}`);
}

type Named = Pick<Container, "name">;
const changed = <C extends Named>(all: readonly C[] | undefined, name: string, change: (c: C) => C) =>
  all?.map((c) => (c.name === name ? change(c) : c));

/** The spec with another security context of one container, of any sort. */
function withContext(spec: PodSpec, name: string, context: (current: Context) => Context): PodSpec {
  const change = <C extends Named & { readonly securityContext?: SecurityContext }>(c: C): C => {
    const { securityContext, ...rest } = c;
    const next = context(securityContext);
    return (next === undefined ? rest : { ...rest, securityContext: next }) as C;
  };
  const { initContainers, ephemeralContainers } = spec;
  return {
    ...spec,
    containers: changed(spec.containers, name, change)!,
    ...(initContainers && { initContainers: changed(initContainers, name, change)! }),
    ...(ephemeralContainers && { ephemeralContainers: changed(ephemeralContainers, name, change)! }),
  };
}

/** A copy without what it does not keep, whose containers see each other's processes. */
function reduced({ metadata, spec, ...pod }: Draft<Pod>, kept: KeptParts): Draft<Pod> {
  const { labels, annotations, ...meta } = metadata;
  const { initContainers, ...rest } = spec;
  const containers = spec.containers.map(({ livenessProbe, readinessProbe, startupProbe, ...c }) => ({
    ...c,
    ...(kept.keepLiveness && livenessProbe && { livenessProbe }),
    ...(kept.keepReadiness && readinessProbe && { readinessProbe }),
    ...(kept.keepStartup && startupProbe && { startupProbe }),
  }));
  return {
    ...pod,
    metadata: {
      ...meta,
      ...(kept.keepLabels && labels && { labels }),
      ...(kept.keepAnnotations && annotations && { annotations }),
    },
    spec: {
      ...rest,
      containers,
      ...(kept.keepInitContainers && initContainers && { initContainers }),
      shareProcessNamespace: spec.shareProcessNamespace ?? true,
    },
  };
}

/** The spec with the file system of the node in one container. */
function withNodeFiles(spec: PodSpec, name: string): PodSpec {
  const mount = { mountPath: "/host", name: "host-root" };
  const mounted = (c: Container): Container => ({ ...c, volumeMounts: [...(c.volumeMounts ?? []), mount] });
  return {
    ...spec,
    volumes: [...(spec.volumes ?? []), { name: "host-root", hostPath: { path: "/" } }],
    containers: changed(spec.containers, name, mounted)!,
  };
}

/** A pod with the privileges of a profile for its debug container. */
export function withProfile(
  profile: string,
  pod: Draft<Pod>,
  container: string,
  style: DebugStyle,
  kept: KeptParts,
): Draft<Pod> {
  const { context, onNode } = profiles[profile]!;
  const spec = withContext(pod.spec, container, (current) => context(current, style));
  if (style === "node") {
    const withFiles = onNode.files ? withNodeFiles(spec, container) : spec;
    const namespaces = { hostNetwork: true, hostPID: true, hostIPC: true };
    return { ...pod, spec: onNode.namespaces ? { ...withFiles, ...namespaces } : withFiles };
  }
  if (style === "ephemeral") return { ...pod, spec };
  if (profile !== "legacy") return reduced({ ...pod, spec }, kept);
  const { labels: _, ...metadata } = pod.metadata;
  return { ...pod, metadata, spec };
}
