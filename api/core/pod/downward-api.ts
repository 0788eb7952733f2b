// What a pod may be told about itself: fields of its own, and what its containers may use.
import type { DownwardAPIVolumeFile, ObjectFieldSelector, ResourceFieldSelector } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateQualifiedName } from "../../names.ts";
import { invalid, required, together, unsupported } from "../../problems.ts";
import { fileMode, projectedPath } from "../../paths.ts";

/** What a pod is told about itself, and the file it finds it in. */
export function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): readonly Problem[] {
  const { fieldRef, mode, resourceFieldRef } = file;
  return together(
    file.path ? projectedPath(file.path, `${path}.path`) : [required(`${path}.path`)],
    fieldRef && validateFieldRef(fieldRef, fieldsOfFiles, `${path}.fieldRef`),
    fieldRef &&
      resourceFieldRef &&
      invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"),
    !fieldRef && resourceFieldRef && validateResourceRef(resourceFieldRef, true, `${path}.resourceFieldRef`),
    !fieldRef && !resourceFieldRef && required(path, "one of fieldRef and resourceFieldRef is required"),
    fileMode(mode, `${path}.mode`),
  );
}

/** Fields that can be had as a variable, and as a file. */
export const fieldsOfVariables: readonly string[] = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
export const fieldsOfFiles: readonly string[] = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];
/** Fields that have a name at all, wherever they can be had. */
const known = new Set([
  ...fieldsOfVariables,
  ...fieldsOfFiles,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);
const maps = ["metadata.annotations", "metadata.labels"];
const resources = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/** A field of the pod, or one label or annotation: `metadata.labels['app']`. */
export function validateFieldRef(
  { apiVersion = "v1", fieldPath }: ObjectFieldSelector,
  fields: readonly string[],
  path: string,
): readonly Problem[] {
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const unread = (why: string): readonly Problem[] => [
    invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${why}`),
  ];
  if (apiVersion !== "v1") return unread(`unsupported pod version: ${apiVersion}`);
  const [, map, key] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (map !== undefined && key !== undefined) {
    if (!maps.includes(map)) return unread(`field label does not support subscript: ${fieldPath}`);
    return validateQualifiedName(map === "metadata.labels" ? key : key.toLowerCase(), path);
  }
  if (!known.has(fieldPath)) return unread(`field label not supported: ${fieldPath}`);
  return fields.includes(fieldPath) ? [] : [unsupported(`${path}.fieldPath`, fieldPath, fields.toSorted())];
}

function validateDivisor(resource: string, divisor: string | undefined, path: string): readonly Problem[] {
  if (divisor === undefined || divisor === "0") return [];
  const of = resource.replace(/^(limits|requests)\./, "");
  const [allowed, called] =
    of === "cpu"
      ? [["1m", "1"], "cpu"]
      : of === "memory"
        ? [sizes, "memory"]
        : of === "ephemeral-storage"
          ? [sizes, "local ephemeral storage"]
          : [sizes, "hugepages"];
  if (allowed.includes(divisor)) return [];
  const list = of === "cpu" ? "1m and 1" : sizes.join(", ");
  return [
    invalid(`${path}.divisor`, resource, `only divisor's values ${list} are supported with the ${called} resource`),
  ];
}

/** What a container may use; a file has to say which container. */
export function validateResourceRef(
  { containerName, divisor, resource }: ResourceFieldSelector,
  file: boolean,
  path: string,
): readonly Problem[] {
  const huge = /^(limits|requests)\.hugepages-/.test(resource ?? "");
  const wrongResource = (): readonly Problem[] => {
    if (file && !containerName) return [required(`${path}.containerName`)];
    if (!resource) return [required(`${path}.resource`)];
    return resources.includes(resource) || huge ? [] : [unsupported(`${path}.resource`, resource, resources)];
  };
  return together(wrongResource(), resource && validateDivisor(resource, divisor, path));
}
