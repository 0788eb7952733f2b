// What a pod may not say when it insists on an operating system that has no such thing.
import type { Container, PodSpec } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { forbidden, required, together, unsupported } from "../../problems.ts";

const systems = ["linux", "windows"];
const ofPods = ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const;
const ofPodSecurity = [
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
const ofContainerSecurity = [
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

const isSet = (value: unknown): boolean =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
const every = (spec: PodSpec, path: string): readonly (readonly [Container, string])[] =>
  (["initContainers", "containers", "ephemeralContainers"] as const).flatMap((list) =>
    ((spec[list] ?? []) as readonly Container[]).map((c, i) => [c, `${path}.${list}[${i}].securityContext`] as const),
  );

function validateLinux(spec: PodSpec, path: string): readonly Problem[] {
  const refused = (at: string): Problem =>
    forbidden(`${at}.windowsOptions`, "windows options cannot be set for a linux pod");
  return together(
    spec.securityContext?.windowsOptions && refused(`${path}.securityContext`),
    every(spec, path).flatMap(([c, at]) => (c.securityContext?.windowsOptions ? [refused(at)] : [])),
  );
}

function validateWindows(spec: PodSpec, path: string): readonly Problem[] {
  const refused = (at: string): Problem => forbidden(at, "cannot be set for a windows pod");
  const refusedFields = <T extends object>(from: T | undefined, fields: readonly (keyof T & string)[], at: string) =>
    fields.filter((field) => isSet(from?.[field])).map((field) => refused(`${at}.${field}`));
  return together(
    refusedFields(spec, ofPods, path),
    refusedFields(spec.securityContext, ofPodSecurity, `${path}.securityContext`),
    every(spec, path).flatMap(([c, at]) => refusedFields(c.securityContext, ofContainerSecurity, at)),
  );
}

/** What is wrong with what a pod says in view of its operating system. */
export function validateSystem(spec: PodSpec, path: string): readonly Problem[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(`${path}.os.name`, "cannot be empty")];
  if (!systems.includes(name)) return [unsupported(`${path}.os`, name, systems)];
  return name === "linux" ? validateLinux(spec, path) : validateWindows(spec, path);
}
