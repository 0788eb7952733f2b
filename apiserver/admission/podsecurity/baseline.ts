// The checks of the level baseline, which prevents known ways to gain privileges on the node. Pure.
import type { LifecycleHandler, Probe, SeccompProfile, SELinuxOptions } from "../../../api/generated/types.ts";
import { quoted } from "../../../api/quote.ts";
import {
  type Check,
  containersOf,
  containersWhere,
  distinct,
  isInUserNamespace,
  joined,
  namedContainers,
  plural,
  settersOf,
} from "./violations.ts";

const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";
const isAppArmorAnnotation = (profile: string): boolean =>
  profile === "" || profile === "runtime/default" || profile.startsWith("localhost/");
const isConfined = ({ type }: { readonly type?: string }): boolean => type === "RuntimeDefault" || type === "Localhost";

export const appArmorProfile: Check = ({ metadata, spec }) => {
  const found = settersOf(spec, "appArmorProfile", isConfined);
  const annotations = Object.entries(metadata?.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorPrefix) && !isAppArmorAnnotation(value))
    .map(([key, value]) => `${key}=${quoted(value)}`)
    .toSorted();
  if (!found && annotations.length === 0) return undefined;
  const values = [...distinct((found?.values ?? []).map(({ type }) => type)), ...annotations];
  const setters = [
    ...(found ? [found.setters] : []),
    ...(annotations.length > 0 ? [plural(annotations.length, "annotation")] : []),
  ];
  return {
    reason: plural(values.length, "forbidden AppArmor profile"),
    detail: `${setters.join(" and ")} must not set AppArmor profile type to ${joined(values)}`,
  };
};

/** The capabilities a container has by default. */
const defaultCapabilities: readonly string[] = [
  ...["AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP"],
  ...["SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"],
];

export const capabilities: Check = ({ spec }) => {
  const found = containersOf(spec).flatMap(({ name, securityContext }) => {
    const added = securityContext?.capabilities?.add ?? [];
    const forbidden = added.filter((capability) => !defaultCapabilities.includes(capability));
    return forbidden.length > 0 ? [{ name, forbidden }] : [];
  });
  if (found.length === 0) return undefined;
  const values = distinct(found.flatMap(({ forbidden }) => forbidden));
  const names = found.map(({ name }) => name);
  return {
    reason: "non-default capabilities",
    detail: `${namedContainers(names)} must not include ${joined(values)} in securityContext.capabilities.add`,
  };
};

export const hostNamespaces: Check = ({ spec }) => {
  const shared = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field] === true);
  if (shared.length === 0) return undefined;
  return { reason: "host namespaces", detail: shared.map((field) => `${field}=true`).join(", ") };
};

export const hostPathVolumes: Check = ({ spec }) => {
  const names = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name);
  if (names.length === 0) return undefined;
  return { reason: "hostPath volumes", detail: `${plural(names.length, "volume")} ${joined(names)}` };
};

export const hostPorts: Check = ({ spec }) => {
  const found = containersOf(spec).flatMap(({ name, ports = [] }) => {
    const taken = ports.flatMap(({ hostPort = 0 }) => (hostPort === 0 ? [] : [String(hostPort)]));
    return taken.length > 0 ? [{ name, taken }] : [];
  });
  if (found.length === 0) return undefined;
  const names = found.map(({ name }) => name);
  const values = distinct(found.flatMap(({ taken }) => taken));
  const ports = `${plural(values.length, "hostPort")} ${values.join(", ")}`;
  return { reason: "hostPort", detail: `${namedContainers(names)} ${plural(names.length, "uses", "use")} ${ports}` };
};

const hostsOf = (handler: Probe | LifecycleHandler | undefined): readonly string[] =>
  [handler?.httpGet?.host ?? "", handler?.tcpSocket?.host ?? ""].filter((host) => host !== "");

export const hostProbesAndLifecycle: Check = ({ spec }) => {
  const found = containersOf(spec).flatMap((c) => {
    const { postStart, preStop } = c.lifecycle ?? {};
    const hosts = [c.livenessProbe, c.readinessProbe, c.startupProbe, postStart, preStop].flatMap(hostsOf);
    return hosts.length > 0 ? [{ name: c.name, hosts }] : [];
  });
  if (found.length === 0) return undefined;
  const names = distinct(found.map(({ name }) => name));
  const values = distinct(found.flatMap(({ hosts }) => hosts));
  const hosts = `${plural(values.length, "probe or lifecycle host")} ${joined(values)}`;
  return {
    reason: "probe or lifecycle host",
    detail: `${namedContainers(names)} ${plural(names.length, "uses", "use")} ${hosts}`,
  };
};

export const privileged: Check = ({ spec }) => {
  const names = containersWhere(spec, (c) => c.securityContext?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: "privileged", detail: `${namedContainers(names)} must not set securityContext.privileged=true` };
};

export const procMount: Check = ({ spec }) => {
  const found = settersOf(spec, "procMount", (type) => type === "Default");
  if (!found) return undefined;
  const values = joined(distinct(found.values));
  return { reason: "procMount", detail: `${found.setters} must not set securityContext.procMount to ${values}` };
};

/** From v1.35 on: a pod in a user namespace may see all of /proc. */
export const procMountOutsideUserNamespace: Check = (pod) => (isInUserNamespace(pod) ? undefined : procMount(pod));

const seLinuxTypes: readonly string[] = ["", "container_t", "container_init_t", "container_kvm_t"];

const seLinux =
  (types: readonly string[]): Check =>
  ({ spec }) => {
    const isType = ({ type = "" }: SELinuxOptions): boolean => types.includes(type);
    const found = settersOf(spec, "seLinuxOptions", (options) => isType(options) && !options.user && !options.role);
    if (!found) return undefined;
    const { setters, values } = found;
    const wrong = distinct(values.filter((options) => !isType(options)).map(({ type = "" }) => type));
    const details = [
      ...(wrong.length > 0 ? [`${plural(wrong.length, "type")} ${joined(wrong)}`] : []),
      ...(values.some(({ user }) => user) ? ["user may not be set"] : []),
      ...(values.some(({ role }) => role) ? ["role may not be set"] : []),
    ];
    return {
      reason: "seLinuxOptions",
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${details.join("; ")}`,
    };
  };
export const seLinuxOptions = seLinux(seLinuxTypes);
/** From v1.31 on: also the type of container engines in containers. */
export const seLinuxOptionsWithEngines = seLinux([...seLinuxTypes, "container_engine_t"]);

const seccompOfPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompOfContainer = "container.seccomp.security.alpha.kubernetes.io/";
const isSeccompAnnotation = (profile: string): boolean =>
  profile === "runtime/default" || profile === "docker/default" || profile.startsWith("localhost/");

/** Before v1.19, when the profile was an annotation. */
export const seccompAnnotations: Check = ({ metadata, spec }) => {
  const { annotations = {} } = metadata ?? {};
  const keys = [seccompOfPod, ...containersOf(spec).map(({ name }) => seccompOfContainer + name)];
  const forbidden = distinct(
    keys.flatMap((key) => {
      const profile = annotations[key];
      return profile === undefined || isSeccompAnnotation(profile) ? [] : [`${key}=${quoted(profile)}`];
    }),
  );
  if (forbidden.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `forbidden ${plural(forbidden.length, "annotation")} ${forbidden.join(", ")}`,
  };
};

/** Whether a container with this profile is filtered. */
export const isFiltered: (profile: SeccompProfile) => boolean = isConfined;

/** From v1.19 on. */
export const seccompProfile: Check = ({ spec }) => {
  const found = settersOf(spec, "seccompProfile", isFiltered);
  if (!found) return undefined;
  const values = joined(distinct(found.values.map(({ type }) => type)));
  return {
    reason: "seccompProfile",
    detail: `${found.setters} must not set securityContext.seccompProfile.type to ${values}`,
  };
};

/** Sysctls that are namespaced, and isolated from other pods, by the version that added them. */
const safeSysctls: readonly (readonly [since: number, names: readonly string[]])[] = [
  [
    0,
    [
      "kernel.shm_rmid_forced",
      "net.ipv4.ip_local_port_range",
      "net.ipv4.tcp_syncookies",
      "net.ipv4.ping_group_range",
      "net.ipv4.ip_unprivileged_port_start",
    ],
  ],
  [27, ["net.ipv4.ip_local_reserved_ports"]],
  [
    29,
    [
      "net.ipv4.tcp_keepalive_time",
      "net.ipv4.tcp_fin_timeout",
      "net.ipv4.tcp_keepalive_intvl",
      "net.ipv4.tcp_keepalive_probes",
    ],
  ],
  [32, ["net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"]],
];
const sysctlsOf = (version: number): Check => {
  const safe = new Set(safeSysctls.flatMap(([since, names]) => (since <= version ? names : [])));
  return ({ spec }) => {
    const forbidden = (spec.securityContext?.sysctls ?? []).map(({ name }) => name).filter((name) => !safe.has(name));
    return forbidden.length === 0 ? undefined : { reason: "forbidden sysctls", detail: forbidden.join(", ") };
  };
};
/** The check of sysctls by the version from which on it applies. */
export const sysctls: readonly (readonly [since: number, Check])[] = safeSysctls.map(([since]) => [
  since,
  sysctlsOf(since),
]);

export const windowsHostProcess: Check = ({ spec }) => {
  const found = settersOf(spec, "windowsOptions", ({ hostProcess }) => hostProcess !== true);
  if (!found) return undefined;
  return {
    reason: "hostProcess",
    detail: `${found.setters} must not set securityContext.windowsOptions.hostProcess=true`,
  };
};
