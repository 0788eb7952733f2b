// Validation of a pod's status against its spec and its old status.
import { parseAddress } from "../../addresses.ts";
import { validateLenientAddress } from "../../addresses-validate.ts";
import type { Problem } from "../../errors.ts";
import type { Pod, PodCondition, PodExtendedResourceClaimStatus, PodSpec, PodStatus } from "../../generated/types.ts";
import { validateLabelName, validateQualifiedName, validateSubdomainName } from "../../names.ts";
import { duplicate, each, invalid, required, together } from "../../problems.ts";
import { validateMirrorChange } from "./validate-metadata.ts";
import { validateContainerStatuses, validateEphemeralStatuses } from "./validate-container-statuses.ts";

const plainConditions = ["PodScheduled", "Ready", "Initialized"];
/** Non-standard conditions have qualified names. */
export const validateCondition = ({ type }: PodCondition, path: string): readonly Problem[] =>
  plainConditions.includes(type) ? [] : validateQualifiedName(type, `${path}.Type`);

interface Ip {
  readonly ip: string;
}

/** At most one address of each family; those of the old status are not validated again. */
function validateIps(ips: readonly Ip[] = [], before: readonly Ip[] = [], path: string): readonly Problem[] {
  const known = new Set(before.map(({ ip }) => ip));
  const families = new Set(ips.map(({ ip }) => parseAddress(ip)?.bits));
  const shown = ips.map(({ ip }) => ({ IP: ip }));
  return together(
    each(ips, path, ({ ip }, at) => !known.has(ip) && validateLenientAddress(ip, at)),
    ips.length > 1 &&
      (families.size !== ips.length || families.has(undefined)) &&
      invalid(path, shown, "may specify no more than one IP for each IP family"),
  );
}

const validateFirstHost = ({ hostIP = "", hostIPs = [] }: PodStatus): readonly Problem[] =>
  hostIPs[0] && hostIPs[0].ip !== hostIP
    ? [invalid("status.hostIPs[0].ip", hostIPs[0].ip, "must be equal to `hostIP`")]
    : [];

function validateClaims({ resourceClaimStatuses: statuses = [] }: PodStatus, spec: PodSpec): readonly Problem[] {
  return each(statuses, "status.resourceClaimStatuses", ({ name, resourceClaimName }, at, i) => {
    const path = `${at}.name`;
    return together(
      !spec.resourceClaims?.some((c) => c.name === name) &&
        invalid(path, name, "must match the name of an entry in `spec.resourceClaims`"),
      statuses.findIndex((s) => s.name === name) < i && duplicate(path, name),
      validateSubdomainName(resourceClaimName, path),
    );
  });
}

/** Devices that containers request as extended resources. Source: KEP-5004. */
function validateExtendedClaim(claim: PodExtendedResourceClaimStatus, spec: PodSpec): readonly Problem[] {
  const path = "status.extendedResourceClaimStatus";
  const { requestMappings: mappings = [], resourceClaimName } = claim;
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const fields = ["containerName", "resourceName", "requestName"] as const;
  const mapped = each(mappings, `${path}.requestMappings`, (mapping, at, i) => {
    const container = containers.find((c) => c.name === mapping.containerName);
    const first = mappings.findIndex((other) => fields.every((field) => other[field] === mapping[field]));
    const unknownContainer = "must match the name of an entry in spec.initContainers.name or spec.containers.name";
    const unknownResource =
      "must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests";
    return together(
      !container && invalid(`${at}.containerName`, mapping.containerName, unknownContainer),
      container &&
        container.resources?.requests?.[mapping.resourceName] === undefined &&
        invalid(`${at}.resourceName`, mapping.resourceName, unknownResource),
      validateLabelName(mapping.requestName, `${path}.requestName`),
      first < i && fields.map((field) => duplicate(`${at}.${field}`, mapping[field])),
    );
  });
  return together(
    mappings.length <= 0 && required(`${path}.requestMappings`, "at least one request mapping is required"),
    mapped,
    resourceClaimName
      ? validateSubdomainName(resourceClaimName, `${path}.resourceClaimName`)
      : required(`${path}.resourceClaimName`),
  );
}

function validateContainers(now: PodStatus, then: PodStatus, spec: PodSpec): readonly Problem[] {
  const statusesOf = (field: "containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses") => ({
    path: `status.${field}`,
    now: now[field] ?? [],
    before: then[field] ?? [],
  });
  return together(
    validateContainerStatuses({ ...statusesOf("containerStatuses"), containers: spec.containers }, spec),
    validateContainerStatuses({ ...statusesOf("initContainerStatuses"), containers: spec.initContainers ?? [] }, spec),
    validateEphemeralStatuses({ ...statusesOf("ephemeralContainerStatuses"), containers: [] }, spec),
  );
}

/** Validates a pod's new status. */
export function validatePodStatus(pod: Pod, old: Pod): readonly Problem[] {
  const { status: now = {} } = pod;
  const { status: then = {} } = old;
  return together(
    validateMirrorChange(pod, old),
    validateContainers(now, then, old.spec),
    validateClaims(now, pod.spec),
    now.extendedResourceClaimStatus && validateExtendedClaim(now.extendedResourceClaimStatus, pod.spec),
    validateIps(now.podIPs, then.podIPs, "status.podIPs"),
    validateFirstHost(now),
    validateIps(now.hostIPs, then.hostIPs, "status.hostIPs"),
  );
}

/** `podIP` and the first of `podIPs` default to each other; where they differ, the older field `podIP` wins. */
export function podStatusDefaults(status: PodStatus): PodStatus {
  const { podIP, podIPs = [] } = status;
  if (!podIP) return podIPs[0] ? { ...status, podIP: podIPs[0].ip } : status;
  return podIPs[0]?.ip === podIP ? status : { ...status, podIPs: [{ ip: podIP }] };
}
