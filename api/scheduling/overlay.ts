// Facts that the published schemas of the scheduling group lack.
import { type Facts, neededLabel, neededSubdomain, type Overlay, present, subdomain, values } from "../overlay.ts";

export const schedulingOverlay: Overlay = {
  PriorityClass: {
    preemptionPolicy: {
      default: "PreemptLowerPriority",
      ...values("PreemptLowerPriority", "Never"),
      immutable: true,
    },
    value: { immutable: "may not be changed in an update." },
  },
};

const frozen: Facts = { frozen: true };
const priority: Facts = {
  bounds: [-(2 ** 31), 1_000_000_000, undefined, "must be less than or equal to 1000000000"],
};
const neededSegment: Facts = { nonEmpty: true, format: "path-segment" };
const claims: Facts = { maxItems: 4, unique: "name" };

/** Workloads and pod groups, in the order of Kubernetes' declarative validation. */
export const podGroupOverlay: Overlay = {
  GangSchedulingPolicy: { minCount: { nonEmpty: true, bounds: [1, null, "must be greater than or equal to 1"] } },
  PodGroup: { status: present },
  PodGroupResourceClaim: {
    name: neededLabel,
    resourceClaimName: subdomain,
    resourceClaimTemplateName: subdomain,
  },
  PodGroupResourceClaimStatus: { resourceClaimName: subdomain },
  PodGroupSpec: {
    podGroupTemplateRef: frozen,
    schedulingPolicy: frozen,
    schedulingConstraints: frozen,
    resourceClaims: { ...frozen, ...claims },
    disruptionMode: { ...frozen, default: "Pod" },
    priorityClassName: { ...frozen, ...subdomain, omitZero: true },
    priority: { ...frozen, ...priority },
  },
  PodGroupStatus: { resourceClaimStatuses: claims },
  PodGroupTemplate: {
    name: neededLabel,
    resourceClaims: claims,
    priorityClassName: { ...subdomain, omitZero: true },
    priority,
  },
  TypedLocalObjectReference: { apiGroup: { ...subdomain, omitZero: true }, kind: neededSegment, name: neededSegment },
  WorkloadPodGroupTemplateReference: { workloadName: neededSubdomain, podGroupTemplateName: neededLabel },
  WorkloadSpec: {
    controllerRef: frozen,
    podGroupTemplates: { ...frozen, nonEmpty: true, maxItems: 8, unique: "name" },
  },
};
