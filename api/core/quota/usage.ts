// What one object counts in the quotas of its namespace. Pure. Source: "Resource Quotas" of the documentation.
import type {
  PersistentVolumeClaim,
  Pod,
  ResourceV1ResourceClaim as ResourceClaim,
  Service,
} from "../../generated/types.ts";
import { type ResourceDefinition, qualified } from "../../kinds.ts";
import type { ApiObject } from "../../meta.ts";
import { formatQuantity, parseQuantity } from "../../quantity.ts";
import { isDeviceResource } from "../../extended-resources.ts";
import { isHugePages } from "../../resource-names.ts";
import { addAmounts, type Amounts, podAmounts } from "../pod/pod-resources.ts";
import { isTerminal } from "../pod/status.ts";
import { hasNodePorts, wantsNodePorts } from "../services-types.ts";
import { classAnnotation } from "../volume-fields.ts";
import { type DeviceQuota, deviceUsage, isOfDevices } from "./device-usage.ts";

/** Kinds whose objects are counted under their plural too, not only as `count/PLURAL`. */
const countedByName = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"];
const withBothNames = ["cpu", "memory", "ephemeral-storage"];

/** Resources that are limited by what containers request. */
function requested(amounts: Amounts): Amounts {
  const used: Record<string, string> = {};
  for (const [name, amount] of Object.entries(amounts)) {
    if (withBothNames.includes(name) || isHugePages(name)) used[name] = amount;
    if (name in used || isDeviceResource(name)) used[`requests.${name}`] = amount;
  }
  return used;
}
const limited = (amounts: Amounts): Amounts =>
  Object.fromEntries(
    withBothNames.flatMap((name) => (amounts[name] === undefined ? [] : [[`limits.${name}`, amounts[name]]])),
  );

/** A pod that has ended counts as an object only. */
export function podUsage(pod: Pod): Amounts {
  if (isTerminal(pod)) return {};
  const { spec } = pod;
  const overhead = spec.overhead ?? {};
  return {
    pods: "1",
    ...requested(addAmounts(podAmounts(spec, "requests"), overhead)),
    ...limited(addAmounts(podAmounts(spec, "limits"), overhead)),
  };
}

function serviceUsage({ spec }: Service): Amounts {
  const ports = spec.ports ?? [];
  const open = wantsNodePorts(spec) ? ports : ports.filter((port) => port.nodePort);
  return {
    services: "1",
    ...(spec.type === "LoadBalancer" && { "services.loadbalancers": "1" }),
    ...(hasNodePorts(spec) && open.length > 0 && { "services.nodeports": `${open.length}` }),
  };
}

function claimUsage({ metadata, spec, status }: PersistentVolumeClaim): Amounts {
  const storage = larger(spec.resources?.requests?.["storage"], status?.allocatedResources?.["storage"]);
  const amounts = { persistentvolumeclaims: "1", ...(storage !== undefined && { "requests.storage": storage }) };
  const storageClass = metadata.annotations?.[classAnnotation] ?? spec.storageClassName;
  if (!storageClass) return amounts;
  const ofClass = Object.entries(amounts).map(
    ([name, amount]) => [`${storageClass}.storageclass.storage.k8s.io/${name}`, amount] as const,
  );
  return { ...amounts, ...Object.fromEntries(ofClass) };
}
function larger(a: string | undefined, b: string | undefined): string | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return (parseQuantity(a)?.nano ?? 0n) < (parseQuantity(b)?.nano ?? 0n) ? b : a;
}

function ownUsage(r: ResourceDefinition, object: ApiObject, devices: DeviceQuota | undefined): Amounts {
  if (r.kind === "ResourceClaim") return deviceUsage(object as ResourceClaim, devices);
  if (r.group !== "") return {};
  if (r.kind === "Pod") return podUsage(object as Pod);
  if (r.kind === "Service") return serviceUsage(object as Service);
  if (r.kind === "PersistentVolumeClaim") return claimUsage(object as PersistentVolumeClaim);
  return countedByName.includes(r.plural) ? { [r.plural]: "1" } : {};
}

/** The amounts an object uses, by the names of a quota's resources. Extended resources of claims need `devices`. */
export const usageOf = (r: ResourceDefinition, object: ApiObject, devices?: DeviceQuota): Amounts => ({
  [`count/${qualified(r)}`]: "1",
  ...ownUsage(r, object, devices),
});

/** `a` plus `b`, or minus it: in the form of `a`, unless that is zero. */
export function summed(a: string, b: string, sign: 1n | -1n = 1n): string {
  const [x, y] = [parseQuantity(a), parseQuantity(b)];
  if (!x || !y) return a;
  return formatQuantity({ nano: x.nano + sign * y.nano, family: x.nano === 0n ? y.family : x.family });
}

/** Whether objects of a kind count in this resource of a quota. */
export function countsIn(r: ResourceDefinition, resource: string): boolean {
  if (resource === `count/${qualified(r)}`) return true;
  if (r.kind === "ResourceClaim") return isOfDevices(resource);
  if (r.group !== "") return false;
  const isOfClaims = resource.endsWith("requests.storage") || resource.endsWith("persistentvolumeclaims");
  if (r.kind === "PersistentVolumeClaim") return isOfClaims;
  if (r.kind === "Service") return resource === "services" || resource.startsWith("services.");
  if (r.kind !== "Pod") return countedByName.includes(r.plural) && resource === r.plural;
  return (
    ["pods", ...withBothNames].includes(resource) ||
    isHugePages(resource) ||
    (/^(requests|limits)\./.test(resource) && !isOfClaims)
  );
}
