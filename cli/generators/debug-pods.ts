// What `debug` creates: a container in a pod, a copy of a pod, or a pod on a node. Pure.
import type { Container, EphemeralContainer, Node, Pod } from "../../api/generated/types.ts";
import type { Draft } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { type KeptParts, withProfile } from "./debug-profiles.ts";

export interface DebugFlags extends KeptParts {
  readonly argumentsOnly?: boolean;
  readonly container?: string;
  readonly copyTo?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly image?: string;
  readonly imagePullPolicy?: string;
  readonly profile: string;
  readonly sameNode?: boolean;
  readonly setImage?: Readonly<Record<string, string>>;
  /** Undefined when the flag is not set. */
  readonly shareProcesses?: boolean;
  readonly stdin?: boolean;
  readonly target?: string;
  readonly tty?: boolean;
}

/** A pod, and the name of the container in it to attach to. */
export interface Debugged {
  readonly pod: Draft<Pod>;
  readonly container: string | undefined;
}
/** Names the debug container, and says so if the user has not. */
export type Naming = (isTaken: (name: string) => boolean) => string;

const isTakenIn =
  ({ spec }: Draft<Pod>) =>
  (name: string): boolean =>
    [...spec.containers, ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])].some(
      (c) => c.name === name,
    );

const envOf = (env: Readonly<Record<string, string>>) => Object.entries(env).map(([name, value]) => ({ name, value }));

/** The container of the flags. */
function newContainer(name: string, flags: DebugFlags, args: readonly string[]): Container {
  return {
    name,
    image: flags.image!,
    terminationMessagePolicy: "File",
    ...(flags.env && { env: envOf(flags.env) }),
    ...(flags.imagePullPolicy && { imagePullPolicy: flags.imagePullPolicy as "Always" }),
    ...(flags.stdin && { stdin: true }),
    ...(flags.tty && { tty: true }),
    ...(args.length > 0 && { [flags.argumentsOnly ? "args" : "command"]: args }),
  };
}

/** The pod with another ephemeral container. */
export function withDebugContainer(pod: Pod, flags: DebugFlags, args: readonly string[], naming: Naming): Debugged {
  const container = flags.container || naming(isTakenIn(pod));
  const added = {
    ...newContainer(container, flags, args),
    ...(flags.target && { targetContainerName: flags.target }),
  } as EphemeralContainer;
  const ephemeralContainers = [...(pod.spec.ephemeralContainers ?? []), added];
  const next = { ...pod, spec: { ...pod.spec, ephemeralContainers } };
  return { pod: withProfile(flags.profile, next, container, "ephemeral", flags), container };
}

/** A pod on a node, with its privileges as the profile says. */
export function nodeDebugPod(node: Node, podName: string, flags: DebugFlags, args: readonly string[]): Debugged {
  const container = flags.container || "debugger";
  const pod: Draft<Pod> = {
    kind: "Pod",
    metadata: { name: podName, labels: { "app.kubernetes.io/managed-by": "kubectl-debug" } },
    spec: {
      containers: [newContainer(container, flags, args)],
      nodeName: node.metadata.name!,
      restartPolicy: "Never",
      tolerations: [{ operator: "Exists" }],
    },
  };
  return { pod: withProfile(flags.profile, pod, container, "node", flags), container };
}

/** The container of a pod's copy with the changes of the flags. */
function changedContainer(current: Container, flags: DebugFlags, words: readonly string[]): Container {
  const { command, args, stdin: _stdin, tty: _tty, ...rest } = current;
  const own = { ...(command && { command }), ...(args && { args }) };
  const process = words.length === 0 ? own : flags.argumentsOnly ? { ...own, args: words } : { command: words };
  return {
    ...rest,
    ...process,
    ...(flags.env && { env: envOf(flags.env) }),
    ...(flags.image && { image: flags.image }),
    ...(flags.imagePullPolicy && { imagePullPolicy: flags.imagePullPolicy as "Always" }),
    ...(flags.stdin && { stdin: true }),
    ...(flags.tty && { tty: true }),
  };
}

/** The pod as it is copied, before a container is added or changed. */
function bareCopy({ metadata, spec }: Pod, flags: DebugFlags): Draft<Pod> {
  const { namespace, labels, annotations } = metadata;
  const { ephemeralContainers: _, nodeName, ...rest } = spec;
  const containers = spec.containers.map((c) => {
    const image = flags.setImage?.[c.name] || flags.setImage?.["*"];
    return image ? { ...c, image } : c;
  });
  return {
    kind: "Pod",
    metadata: {
      name: flags.copyTo!,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
    },
    spec: {
      ...rest,
      containers,
      ...(flags.shareProcesses !== undefined && { shareProcessNamespace: flags.shareProcesses }),
      ...(flags.sameNode && nodeName && { nodeName }),
    },
  };
}

/** A copy of a pod with another container, or with one changed. Throws CliError in kubectl's words. */
export function debugCopy(original: Pod, flags: DebugFlags, args: readonly string[], naming: Naming): Debugged {
  const copy = bareCopy(original, flags);
  const isTaken = isTakenIn(copy);
  const exists = flags.container ? isTaken(flags.container) : false;
  if (!exists && !flags.image) {
    // Only images are changed, and no profile applies.
    if (flags.setImage) return { pod: copy, container: undefined };
    throw new CliError("you must specify image when creating new container");
  }
  const container = flags.container || naming(isTaken);
  const change = (c: Container): Container => (c.name === container ? changedContainer(c, flags, args) : c);
  const { containers, initContainers } = copy.spec;
  const spec = {
    ...copy.spec,
    containers: exists ? containers.map(change) : [...containers, newContainer(container, flags, args)],
    ...(exists && initContainers && { initContainers: initContainers.map(change) }),
  };
  return { pod: withProfile(flags.profile, { ...copy, spec }, container, "copy", flags), container };
}

/** Whether privileges of the debug container have no effect, because the whole pod runs as another user than root. */
export function lacksRoot({ spec }: Draft<Pod>, container: string): boolean {
  const all = [...spec.containers, ...(spec.ephemeralContainers ?? [])];
  const { runAsUser, privileged, capabilities } = all.find((c) => c.name === container)?.securityContext ?? {};
  const hasPrivileges = privileged === true || (capabilities?.add?.length ?? 0) > 0;
  return Boolean(spec.securityContext?.runAsUser) && runAsUser !== 0 && hasPrivileges;
}
