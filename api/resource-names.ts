// Names of resources in containers, quotas and limit ranges, and validation of their amounts. Source: the API reference
// of Container, ResourceQuota and LimitRange.
import type { Problem } from "./errors.ts";
import { validateQualifiedName } from "./names.ts";
import { invalid } from "./problems.ts";
import { parseQuantity } from "./quantity.ts";

const containerResources = ["cpu", "memory", "ephemeral-storage"];
const measured = containerResources.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
/** Resources with integer amounts. */
const counted = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const quotaResources = new Set([...measured, ...counted, "requests.storage"]);
const standard = new Set([...quotaResources, "storage"]);

export const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
const isHugePagesOfQuota = (name: string): boolean => isHugePages(name) || name.startsWith("requests.hugepages-");
/** Without a domain, or in that of Kubernetes. */
export const isNative = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");
/** Extended resources, whose amounts are integers. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith("requests.") && validateQualifiedName(`requests.${name}`, "").length === 0;

/** Resources whose limits may exceed what a node has. */
export const isOvercommitted = (name: string): boolean => isNative(name) && !isHugePages(name);
export const isQuotaName = (name: string): boolean => quotaResources.has(name) || isHugePagesOfQuota(name);
/** Resources with integer amounts, including extended ones. */
const isWhole = (name: string): boolean => counted.includes(name) || isExtended(name);

export function validateResourceName(name: string, path: string): readonly Problem[] {
  const form = validateQualifiedName(name, path);
  if (form.length > 0 || name.includes("/") || standard.has(name) || isHugePagesOfQuota(name)) return form;
  return [invalid(path, name, "must be a standard resource type or fully qualified")];
}

/** Validates the name of a resource of a container. */
export function validateContainerResourceName(name: string, path: string): readonly Problem[] {
  const problems = validateResourceName(name, path);
  if (!name.includes("/"))
    return containerResources.includes(name) || isHugePages(name)
      ? problems
      : [...problems, invalid(path, name, "must be a standard resource for containers")];
  return isNative(name) || isExtended(name)
    ? problems
    : [...problems, invalid(path, name, "doesn't follow extended resource name standard")];
}

/** Validates the name of a resource of a quota. */
export function validateQuotaResourceName(name: string, path: string): readonly Problem[] {
  const problems = validateResourceName(name, path);
  return name.includes("/") || isQuotaName(name)
    ? problems
    : [...problems, invalid(path, name, "must be a standard resource for quota")];
}

const quantityForm = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";

/** An amount is a non-negative quantity, and an integer for some resources. */
export function validateAmount(name: string, text: string, path: string): readonly Problem[] {
  const quantity = parseQuantity(text);
  if (!quantity) return [invalid(path, text, `quantities must match the regular expression '${quantityForm}'`)];
  return [
    ...(quantity.nano < 0n ? [invalid(path, text, "must be greater than or equal to 0")] : []),
    ...(isWhole(name) && quantity.nano % 1_000_000_000n !== 0n ? [invalid(path, text, "must be an integer")] : []),
  ];
}
