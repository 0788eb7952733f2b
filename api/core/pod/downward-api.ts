// Validation of the downward API: references to fields of the pod and to resources of its containers.
import type { DownwardAPIVolumeFile, ObjectFieldSelector, ResourceFieldSelector } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validateQualifiedName } from "../../names.ts";
import { invalid, required, together, unsupported } from "../../problems.ts";
import { fileMode, projectedPath } from "../../paths.ts";

/** Fields that environment variables can refer to. */
export const fieldsOfVariables: readonly string[] = [
  ...["name", "namespace", "uid"].map((field) => `metadata.${field}`),
  ...["nodeName", "serviceAccountName"].map((field) => `spec.${field}`),
  ...["hostIP", "hostIPs", "podIP", "podIPs"].map((field) => `status.${field}`),
];
const maps = ["metadata.annotations", "metadata.labels"];
const fieldsOfFiles = [...maps, "metadata.name", "metadata.namespace", "metadata.uid"];
/** All fields with a path. */
const fields = new Set([
  ...fieldsOfVariables,
  ...fieldsOfFiles,
  "spec.restartPolicy",
  "spec.schedulerName",
  "status.phase",
]);
const resources = ["limits", "requests"].flatMap((list) =>
  ["cpu", "ephemeral-storage", "memory"].map((name) => `${list}.${name}`),
);
const sizes = ["1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"];

/** A field of the pod, or one label or annotation: `metadata.labels['app']`. */
export function validateFieldRef(
  { apiVersion = "v1", fieldPath }: ObjectFieldSelector,
  allowed: readonly string[],
  path: string,
): readonly Problem[] {
  if (!fieldPath) return [required(`${path}.fieldPath`)];
  const refuse = (reason: string): readonly Problem[] => [
    invalid(`${path}.fieldPath`, fieldPath, `error converting fieldPath: ${reason}`),
  ];
  if (apiVersion !== "v1") return refuse(`unsupported pod version: ${apiVersion}`);
  const [, map, key] = /^(.*)\['(.*)'\]$/.exec(fieldPath) ?? [];
  if (map !== undefined && key !== undefined) {
    if (!maps.includes(map)) return refuse(`field label does not support subscript: ${fieldPath}`);
    return validateQualifiedName(map === "metadata.labels" ? key : key.toLowerCase(), path);
  }
  if (!fields.has(fieldPath)) return refuse(`field label not supported: ${fieldPath}`);
  return allowed.includes(fieldPath) ? [] : [unsupported(`${path}.fieldPath`, fieldPath, allowed.toSorted())];
}

const resourceNames: Readonly<Record<string, string>> = {
  cpu: "cpu",
  memory: "memory",
  "ephemeral-storage": "local ephemeral storage",
};

function validateDivisor(resource: string, divisor: string | undefined, path: string): readonly Problem[] {
  if (divisor === undefined || divisor === "0") return [];
  const name = resource.replace(/^(limits|requests)\./, "");
  const isAllowed = name === "cpu" ? divisor === "1m" || divisor === "1" : sizes.includes(divisor);
  if (isAllowed) return [];
  const list = name === "cpu" ? "1m and 1" : sizes.join(", ");
  const detail = `only divisor's values ${list} are supported with the ${resourceNames[name] ?? "hugepages"} resource`;
  return [invalid(`${path}.divisor`, resource, detail)];
}

/** A resource of a container; in a file, the container must be named. */
export function validateResourceRef(
  { containerName, divisor, resource }: ResourceFieldSelector,
  isFile: boolean,
  path: string,
): readonly Problem[] {
  const isKnown = resources.includes(resource) || /^(limits|requests)\.hugepages-/.test(resource);
  return together(
    isFile && !containerName
      ? required(`${path}.containerName`)
      : resource
        ? !isKnown && unsupported(`${path}.resource`, resource, resources)
        : required(`${path}.resource`),
    resource && validateDivisor(resource, divisor, path),
  );
}

/** Validates a file of a downward API volume. */
export function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): readonly Problem[] {
  const { fieldRef, mode, resourceFieldRef } = file;
  return together(
    file.path ? projectedPath(file.path, `${path}.path`) : required(`${path}.path`),
    fieldRef && validateFieldRef(fieldRef, fieldsOfFiles, `${path}.fieldRef`),
    fieldRef &&
      resourceFieldRef &&
      invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"),
    !fieldRef && resourceFieldRef && validateResourceRef(resourceFieldRef, true, `${path}.resourceFieldRef`),
    !fieldRef && !resourceFieldRef && required(path, "one of fieldRef and resourceFieldRef is required"),
    fileMode(mode, `${path}.mode`),
  );
}
