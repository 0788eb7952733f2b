// Priorities of groups and versions: Kubernetes' figures, which APIService objects carry too.
interface Priority {
  readonly group: number;
  readonly version: number;
}

const groups: Readonly<Record<string, number>> = {
  "apiregistration.k8s.io": 20_000,
  "": 18_000,
  apps: 17_800,
  "events.k8s.io": 17_750,
  "authentication.k8s.io": 17_700,
  "authorization.k8s.io": 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  "certificates.k8s.io": 17_300,
  "networking.k8s.io": 17_200,
  policy: 17_100,
  "rbac.authorization.k8s.io": 17_000,
  "storage.k8s.io": 16_800,
  "apiextensions.k8s.io": 16_700,
  "admissionregistration.k8s.io": 16_700,
  "scheduling.k8s.io": 16_600,
  "coordination.k8s.io": 16_500,
  "node.k8s.io": 16_300,
  "discovery.k8s.io": 16_200,
  "flowcontrol.apiserver.k8s.io": 16_100,
  "resource.k8s.io": 15_900,
  "metrics.k8s.io": 100,
};
/** Versions that are not worth the usual. */
const versions: Readonly<Record<string, number>> = {
  "/v1": 1,
  "autoscaling/v2": 30,
  "flowcontrol.apiserver.k8s.io/v1": 21,
  "metrics.k8s.io/v1beta1": 100,
};
const usual: Priority = { group: 1000, version: 15 };

/** The priority of a group and a version; by default that of custom resources. */
export const priorityOf = (group: string, version = ""): Priority => ({
  group: groups[group] ?? usual.group,
  version: versions[`${group}/${version}`] ?? usual.version,
});
