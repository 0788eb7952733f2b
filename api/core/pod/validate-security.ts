// Validation of security contexts, profiles, sysctls and user namespaces.
import type {
  AppArmorProfile,
  Container,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
  Sysctl,
} from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { duplicate, forbidden, invalid, required, together, tooLong } from "../../problems.ts";
import { relativePath } from "../../paths.ts";

const maxPathLength = 4095;

/** A profile of type Localhost has a file. */
function validateProfile(
  { type, localhostProfile: file }: AppArmorProfile | SeccompProfile,
  path: string,
  kind: "AppArmor" | "seccomp",
): readonly Problem[] {
  const at = `${path}.localhostProfile`;
  if (type !== "Localhost")
    return file === undefined ? [] : [invalid(at, file, `can only be set when ${kind} type is Localhost`)];
  if (file === undefined || (kind === "AppArmor" && file === ""))
    return [required(at, `must be set when ${kind} type is Localhost`)];
  if (kind === "seccomp") return relativePath(file, at);
  return together(
    file.trim() !== file && invalid(at, file, "must not be padded with whitespace"),
    file.length > maxPathLength && tooLong(at, maxPathLength),
  );
}

function validateEscalation(sc: SecurityContext, path: string): readonly Problem[] {
  if (sc.allowPrivilegeEscalation !== false) return [];
  const refused = (what: string): Problem =>
    invalid(path, sc, `cannot set \`allowPrivilegeEscalation\` to false and ${what}`);
  return together(
    sc.privileged === true && refused("`privileged` to true"),
    (sc.capabilities?.add ?? [])
      .filter((capability) => capability === "CAP_SYS_ADMIN")
      .map(() => refused("`capabilities.Add` CAP_SYS_ADMIN")),
  );
}

export const validateAppArmor = (profile: AppArmorProfile, path: string): readonly Problem[] =>
  validateProfile(profile, path, "AppArmor");
export const validateSeccomp = (profile: SeccompProfile, path: string): readonly Problem[] =>
  validateProfile(profile, path, "seccomp");

/** Validates the security context of a container. */
export const validateSecurity = (
  sc: SecurityContext | undefined,
  path: string,
  hostUsers: boolean,
): readonly Problem[] =>
  sc
    ? together(
        hostUsers &&
          sc.procMount === "Unmasked" &&
          invalid(`${path}.procMount`, sc.procMount, "`hostUsers` must be false to use `Unmasked`"),
        validateEscalation(sc, path),
      )
    : [];

const segment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlForm = `^(${segment}[\\./])*${segment}$`;
const sysctl = new RegExp(sysctlForm);
const maxSysctlLength = 253;
/** Sysctls of a namespace that the pod may share with its node. */
const ofNetwork = /^net[./]/;
const ofIpc = /^(kernel[./](sem|shm.*|msg.*)|fs[./]mqueue[./])/;

function validateSysctls(all: readonly Sysctl[], spec: PodSpec, path: string): readonly Problem[] {
  const names = all.map((s) => s.name);
  return names.flatMap((name, i) => {
    const at = `${path}[${i}].name`;
    const form = (): readonly Problem[] => {
      if (!name) return [required(at)];
      if (name.length > maxSysctlLength || !sysctl.test(name))
        return [invalid(at, name, `must have at most ${maxSysctlLength} characters and match regex ${sysctlForm}`)];
      return names.indexOf(name) < i ? [duplicate(at, name)] : [];
    };
    return together(
      form(),
      spec.hostNetwork &&
        ofNetwork.test(name ?? "") &&
        invalid(at, name, "may not be specified when 'hostNetwork' is true"),
      spec.hostIPC && ofIpc.test(name ?? "") && invalid(at, name, "may not be specified when 'hostIPC' is true"),
    );
  });
}

/** Validates the security context of a pod. */
export function validatePodSecurity(spec: PodSpec, path: string): readonly Problem[] {
  const sc: PodSecurityContext = spec.securityContext ?? {};
  return together(
    spec.shareProcessNamespace &&
      spec.hostPID &&
      invalid(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"),
    validateSysctls(sc.sysctls ?? [], spec, `${path}.sysctls`),
  );
}

/** A user namespace excludes the node's other namespaces, and block devices. */
export function validateHostUsers(spec: PodSpec, path: string): readonly Problem[] {
  if (spec.hostUsers !== false) return [];
  const refused = (at: string): Problem => forbidden(`${path}.${at}`, "when `hostUsers` is false");
  const devices = (list: readonly Container[] | undefined, at: string): readonly Problem[] =>
    (list ?? []).flatMap((c, i) => (c.volumeDevices?.length ? [refused(`${at}[${i}].volumeDevices`)] : []));
  return together(
    spec.hostNetwork && refused("hostNetwork"),
    spec.hostPID && refused("HostPID"),
    spec.hostIPC && refused("HostIPC"),
    devices(spec.initContainers, "initContainers"),
    devices(spec.containers, "containers"),
  );
}
