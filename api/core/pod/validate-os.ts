// Validation of a pod's operating system: fields that Linux or Windows does not have.
import type { PodSpec, SecurityContext } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { forbidden, required, together, unsupported } from "../../problems.ts";

const podFields = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;
const containerSecurityFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;
const podSecurityFields = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);

type Placed = readonly [context: SecurityContext | undefined, path: string];
const containerContexts = (spec: PodSpec, path: string): readonly Placed[] =>
  (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((list) =>
    (spec[list] ?? []).map((c, i): Placed => [c.securityContext, `${path}.${list}[${i}].securityContext`]),
  );

const validateLinux = (spec: PodSpec, path: string): readonly Problem[] =>
  [[spec.securityContext, `${path}.securityContext`] as const, ...containerContexts(spec, path)]
    .filter(([context]) => context?.windowsOptions)
    .map(([, at]) => forbidden(`${at}.windowsOptions`, "windows options cannot be set for a linux pod"));

function validateWindows(spec: PodSpec, path: string): readonly Problem[] {
  const refused = <T extends object>(from: T | undefined, fields: readonly (keyof T & string)[], at: string) =>
    fields
      .filter((field) => isSet(from?.[field]))
      .map((field) => forbidden(`${at}.${field}`, "cannot be set for a windows pod"));
  return together(
    refused(spec, podFields, path),
    refused(spec.securityContext, podSecurityFields, `${path}.securityContext`),
    containerContexts(spec, path).flatMap(([context, at]) => refused(context, containerSecurityFields, at)),
  );
}

/** Refuses fields that the pod's operating system does not have. */
export function validateOs(spec: PodSpec, path: string): readonly Problem[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(`${path}.os.name`, "cannot be empty")];
  if (name === "linux") return validateLinux(spec, path);
  return name === "windows" ? validateWindows(spec, path) : [unsupported(`${path}.os`, name, ["linux", "windows"])];
}
