// Derives the published name of each model (`io.k8s.api.core.v1.Pod`), which OpenAPI and `kubectl explain` use.
import type { Model } from "./models.ts";
import { words } from "./words.ts";

/** API groups as the client names them, in the order in which they claim a model that several of them use. */
const groupOrder = words(`
  CoreV1 AppsV1 BatchV1 AutoscalingV1 AutoscalingV2 PolicyV1 NetworkingV1 DiscoveryV1 StorageV1 SchedulingV1 NodeV1
  CoordinationV1 EventsV1 RbacAuthorizationV1 CertificatesV1 AuthenticationV1 AuthorizationV1
  AdmissionregistrationV1 FlowcontrolApiserverV1 ResourceV1 ApiextensionsV1 ApiregistrationV1 SchedulingV1alpha2
`);
/** Go packages that are not `io.k8s.api.<group>.<version>`. */
const otherPackages: Readonly<Record<string, string>> = {
  RbacAuthorizationV1: "io.k8s.api.rbac.v1",
  FlowcontrolApiserverV1: "io.k8s.api.flowcontrol.v1",
  ApiextensionsV1: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1",
  ApiregistrationV1: "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1",
};
const packageOf = (group: string): string =>
  otherPackages[group] ?? `io.k8s.api.${group.replace(/V(?=\d)/, ".v").toLowerCase()}`;

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const metaModels = words(`
  V1APIGroup V1APIGroupList V1APIResource V1APIResourceList V1APIVersions V1Condition V1DeleteOptions
  V1FieldSelectorRequirement V1GroupVersionForDiscovery V1LabelSelector V1LabelSelectorRequirement V1ListMeta
  V1ManagedFieldsEntry V1ObjectMeta V1OwnerReference V1Preconditions V1ServerAddressByClientCIDR V1Status
  V1StatusCause V1StatusDetails
`);
/** Models that operations of one group use and another group publishes. */
const ofOtherGroups: Readonly<Record<string, string>> = {
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

/** `V1Pod` to `Pod`, `CoreV1Event` to `Event`: the published name has group and version in its package. */
const bare = (className: string): string => className.replace(/^([A-Z][a-z]+)?V\d(alpha2(?=[A-Z]))?/, "");
const referenced = (type: string): readonly string[] => type.match(/\b([A-Z][a-z]+)?V\d\w+/g) ?? [];

/** Published names by class name: a group claims the models its operations reach, unless an earlier group has. */
export function publishedNames(
  models: readonly Model[],
  groups: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, string> {
  const byClass = new Map(models.map((m) => [m.className, m]));
  const names = new Map<string, string>(Object.entries(ofOtherGroups));
  for (const className of metaModels) names.set(className, `${meta}.${bare(className)}`);
  const claim = (className: string, prefix: string): void => {
    const model = byClass.get(className);
    if (!model || (names.has(className) && ofOtherGroups[className] === undefined)) return;
    if (!names.has(className)) names.set(className, `${prefix}.${bare(className)}`);
    if (ofOtherGroups[className] === undefined)
      for (const f of model.fields) for (const next of referenced(f.type)) claim(next, prefix);
  };
  for (const group of groupOrder) for (const root of groups.get(group) ?? []) claim(root, packageOf(group));
  return names;
}
