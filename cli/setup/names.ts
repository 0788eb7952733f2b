// Gives each model the name Kubernetes itself publishes it under (`io.k8s.api.core.v1.Pod`), which `kubectl explain`
// prints.
import type { Model } from "./models.ts";

/** Packages of the groups, in the order in which they may claim a model that several of them use. */
const packages: Readonly<Record<string, string>> = {
  CoreV1: "io.k8s.api.core.v1",
  AppsV1: "io.k8s.api.apps.v1",
  BatchV1: "io.k8s.api.batch.v1",
  AutoscalingV1: "io.k8s.api.autoscaling.v1",
  AutoscalingV2: "io.k8s.api.autoscaling.v2",
  PolicyV1: "io.k8s.api.policy.v1",
  NetworkingV1: "io.k8s.api.networking.v1",
  DiscoveryV1: "io.k8s.api.discovery.v1",
  StorageV1: "io.k8s.api.storage.v1",
  SchedulingV1: "io.k8s.api.scheduling.v1",
  NodeV1: "io.k8s.api.node.v1",
  CoordinationV1: "io.k8s.api.coordination.v1",
  EventsV1: "io.k8s.api.events.v1",
  RbacAuthorizationV1: "io.k8s.api.rbac.v1",
  CertificatesV1: "io.k8s.api.certificates.v1",
  AuthenticationV1: "io.k8s.api.authentication.v1",
  AuthorizationV1: "io.k8s.api.authorization.v1",
  AdmissionregistrationV1: "io.k8s.api.admissionregistration.v1",
  FlowcontrolApiserverV1: "io.k8s.api.flowcontrol.v1",
  ResourceV1: "io.k8s.api.resource.v1",
  ApiextensionsV1: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  ApiregistrationV1: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
};

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const metaModels = [
  "V1APIGroup",
  "V1APIGroupList",
  "V1APIResource",
  "V1APIResourceList",
  "V1APIVersions",
  "V1Condition",
  "V1DeleteOptions",
  "V1FieldSelectorRequirement",
  "V1GroupVersionForDiscovery",
  "V1LabelSelector",
  "V1LabelSelectorRequirement",
  "V1ListMeta",
  "V1ManagedFieldsEntry",
  "V1ObjectMeta",
  "V1OwnerReference",
  "V1Preconditions",
  "V1ServerAddressByClientCIDR",
  "V1Status",
  "V1StatusCause",
  "V1StatusDetails",
];
/** Models that operations of one group borrow from another one. */
const borrowed: Readonly<Record<string, string>> = {
  V1Scale: "io.k8s.api.autoscaling.v1.Scale",
  V1ScaleSpec: "io.k8s.api.autoscaling.v1.ScaleSpec",
  V1ScaleStatus: "io.k8s.api.autoscaling.v1.ScaleStatus",
  V1Eviction: "io.k8s.api.policy.v1.Eviction",
  AuthenticationV1TokenRequest: "io.k8s.api.authentication.v1.TokenRequest",
  V1TokenRequestSpec: "io.k8s.api.authentication.v1.TokenRequestSpec",
  V1TokenRequestStatus: "io.k8s.api.authentication.v1.TokenRequestStatus",
  V1TopologySelectorTerm: "io.k8s.api.core.v1.TopologySelectorTerm",
  V1TopologySelectorLabelRequirement: "io.k8s.api.core.v1.TopologySelectorLabelRequirement",
  V1BoundObjectReference: "io.k8s.api.authentication.v1.BoundObjectReference",
};

/** `V1Pod` and `CoreV1Event` both carry a version that the published name keeps elsewhere. */
const bare = (className: string): string => className.replace(/^([A-Z][a-z]+)?V\d/, "");
const mentioned = (type: string): readonly string[] => type.match(/\b([A-Z][a-z]+)?V\d\w+/g) ?? [];

/** Published name of every model: each group claims what its operations reach and no earlier group has claimed. */
export function publishedNames(
  models: readonly Model[],
  groups: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const byClass = new Map(models.map((m) => [m.className, m]));
  const names = new Map<string, string>(Object.entries(borrowed));
  for (const className of metaModels) names.set(className, `${meta}.${bare(className)}`);
  const claim = (className: string, prefix: string): void => {
    const model = byClass.get(className);
    if (!model || (names.has(className) && borrowed[className] === undefined)) return;
    if (!names.has(className)) names.set(className, `${prefix}.${bare(className)}`);
    if (borrowed[className] === undefined)
      for (const f of model.fields) for (const next of mentioned(f.type)) claim(next, prefix);
  };
  for (const [group, prefix] of Object.entries(packages))
    for (const root of groups.get(group) ?? []) claim(root, prefix);
  return names;
}
