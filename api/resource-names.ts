// What can be counted, measured and limited, and by which names. Source: the API reference of Container, ResourceQuota
// and LimitRange.
import type { Problem } from "./errors.ts";
import { validateQualifiedName } from "./names.ts";
import { invalid } from "./problems.ts";
import { parseQuantity } from "./quantity.ts";

const ofContainers = ["cpu", "memory", "ephemeral-storage"];
const measured = ofContainers.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]);
/** Things of which there are whole numbers. */
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
const ofQuotas = new Set([...measured, ...counted, "requests.storage"]);
const standard = new Set([...ofQuotas, "storage"]);

export const isHugePages = (name: string): boolean => name.startsWith("hugepages-");
const isHugePagesOfQuota = (name: string): boolean => isHugePages(name) || name.startsWith("requests.hugepages-");
/** In Kubernetes' own namespace, said or not. */
export const isNative = (name: string): boolean => !name.includes("/") || name.includes("kubernetes.io/");
/** Somebody else's, of which there are whole numbers. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith("requests.") && validateQualifiedName(`requests.${name}`, "").length === 0;

/** More of it may be promised than there is. */
export const isOvercommitted = (name: string): boolean => isNative(name) && !isHugePages(name);
export const isQuotaName = (name: string): boolean => ofQuotas.has(name) || isHugePagesOfQuota(name);
/** Of these there are no halves. */
const isWhole = (name: string): boolean => counted.includes(name) || isExtended(name);

export function validateResourceName(name: string, path: string): readonly Problem[] {
  const form = validateQualifiedName(name, path);
  if (form.length > 0 || name.includes("/") || standard.has(name) || isHugePagesOfQuota(name)) return form;
  return [invalid(path, name, "must be a standard resource type or fully qualified")];
}

/** What a container may ask for. */
export function validateContainerResourceName(name: string, path: string): readonly Problem[] {
  const problems = validateResourceName(name, path);
  if (!name.includes("/"))
    return ofContainers.includes(name) || isHugePages(name)
      ? problems
      : [...problems, invalid(path, name, "must be a standard resource for containers")];
  return isNative(name) || isExtended(name)
    ? problems
    : [...problems, invalid(path, name, "doesn't follow extended resource name standard")];
}

/** What may be limited in a namespace. */
export function validateQuotaResourceName(name: string, path: string): readonly Problem[] {
  const problems = validateResourceName(name, path);
  return name.includes("/") || isQuotaName(name)
    ? problems
    : [...problems, invalid(path, name, "must be a standard resource for quota")];
}

const quantityForm = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$";

/** An amount of something: readable, not below zero, and whole where there are no halves. */
export function validateAmount(name: string, text: string, path: string): readonly Problem[] {
  const quantity = parseQuantity(text);
  if (!quantity) return [invalid(path, text, `quantities must match the regular expression '${quantityForm}'`)];
  return [
    ...(quantity.nano < 0n ? [invalid(path, text, "must be greater than or equal to 0")] : []),
    ...(isWhole(name) && quantity.nano % 1_000_000_000n !== 0n ? [invalid(path, text, "must be an integer")] : []),
  ];
}
