// Strategies and subresources, each declared once. Routing, discovery, OpenAPI, metrics and the way a subresource is
// written follow from its entry; a resource has its own strategy laid over the default.
import type { Namespace } from "../../../api/core/namespaces.ts";
import { type ApiObject, type Draft, type ObjectMeta, timestamp } from "../../../api/meta.ts";
import { defaultStrategy, mergeStrategy, validateMetaUpdate, statusStrategy } from "../prepare.ts";
import type { Strategy } from "./strategy.ts";
import { ApiError } from "../../../api/errors.ts";
import { withOwnLabels } from "../../../api/core/pod/match-label-keys.ts";
import type { Pod } from "../../../api/core/pods.ts";
import { validateEphemeralChange, withEphemeralContainers } from "../../../api/core/pod/ephemeral-containers.ts";
import { resized, validateResize } from "../../../api/core/pod/resize.ts";
import type { WriteAttributes } from "../admission.ts";
import { conflict } from "../refusals.ts";
import type { Eviction } from "../../../api/generated/types.ts";
import { bindings } from "../../../api/core/bindings.ts";
import { customScaleOf, withCustomReplicas } from "./custom-scale.ts";
import { replicationControllers } from "../../../api/core/replicationcontrollers.ts";
import { tokenRequests } from "../../../api/authentication/tokenrequests.ts";
import { type ResourceDefinition, type ScalePaths, type Subresource, define, qualified } from "../../../api/kinds.ts";
import { schemaOf } from "../../../api/schema.ts";
import { type LabelSelectorLike, type Labels, selectorText } from "../../../api/selector.ts";
import { approvalStrategy, certificateRequestStrategy, signingStrategy } from "./certificate-requests.ts";
import { customResourceDefinitionStrategy } from "./custom-resource-definitions.ts";
import { daemonSetStrategy } from "./daemonsets.ts";
import { claimStatusStrategy } from "./claim-statuses.ts";
import { podGroupStrategy } from "./pod-groups.ts";
import { roleBindingStrategy, roleStrategy } from "./roles.ts";
import type { WritableSubresource } from "../../../machinery/client.ts";

const finalizersOf = (object: ApiObject): readonly string[] => (object as Partial<Namespace>).spec?.finalizers ?? [];

export const namespaceStrategy: Partial<Strategy> = {
  // Before its deletion the finalizers are written through the subresource only.
  prepareForUpdate(next, old, by) {
    const spec = old.metadata.deletionTimestamp === undefined ? { spec: (old as Namespace).spec } : {};
    return defaultStrategy.prepareForUpdate({ ...next, ...spec } as ApiObject, old, by);
  },
  deletion: {
    isHeld: (object) => finalizersOf(object).length > 0,
    whileTerminating: (object) =>
      ({ ...object, status: { ...(object as Namespace).status, phase: "Terminating" } }) as ApiObject,
    returnsObject: true,
    isSingle: true,
  },
};

/** Takes `spec.finalizers` alone, the last write to a namespace. */
export const finalizeStrategy = mergeStrategy(
  (old, sent) => {
    const { uid, resourceVersion } = sent.metadata;
    const metadata = { ...old.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) };
    return { ...old, metadata, spec: { finalizers: finalizersOf(sent) } } as ApiObject;
  },
  { prepareForUpdate: (next) => next },
);

/** Seconds a pod is given to end. One without a node, or whose containers have all ended, needs none. */
function podGracePeriodSeconds(object: ApiObject, requested: number | undefined): number {
  const { spec, status } = object as Pod;
  if (!spec.nodeName || status?.phase === "Succeeded" || status?.phase === "Failed") return 0;
  const grace = requested ?? spec.terminationGracePeriodSeconds ?? 30;
  return grace < 0 ? 1 : grace;
}

/** The condition of a new pod whose scheduling gates are not all removed yet (KEP-3521). */
const gated = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

export const podStrategy: Partial<Strategy> = {
  prepareForCreate(draft, by) {
    const sent = defaultStrategy.prepareForCreate(draft, by) as Draft<Pod>;
    const pod = sent.spec ? { ...sent, spec: withOwnLabels(sent.spec, sent.metadata.labels) } : sent;
    return pod.spec?.schedulingGates?.length ? ({ ...pod, status: { conditions: [gated] } } as Draft<ApiObject>) : pod;
  },
  statusKeeps: ["ownerReferences"],
  deletion: { gracePeriodSeconds: podGracePeriodSeconds, returnsObject: true },
};

/** Assigns the pod to a node, once. `sent` is a pod of which only `spec.nodeName` is read. */
function bound(old: ApiObject, sent: ApiObject, { r, now }: WriteAttributes): ApiObject {
  const pod = old as Pod;
  const { nodeName } = (sent as Pod).spec;
  const { name, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined)
    throw conflict(r, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw conflict(r, name, `pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (!nodeName) throw new ApiError("Invalid", "target.name: Required value");
  const conditions = (pod.status?.conditions ?? []).filter((c) => c.type !== "PodScheduled");
  const scheduled = { type: "PodScheduled", status: "True", lastTransitionTime: timestamp(now) };
  return {
    ...pod,
    metadata: { ...pod.metadata, uid: sent.metadata.uid || pod.metadata.uid },
    spec: { ...pod.spec, nodeName },
    status: { ...pod.status, conditions: [...conditions, scheduled] },
  } as ApiObject;
}

/** The server makes the complete change, so nothing is reset or validated. */
export const bindingStrategy = mergeStrategy(bound, {
  prepareForUpdate: (next) => next,
  validateUpdate: () => [],
  warnings: () => [],
  tracksFields: false,
});

export const ephemeralContainersStrategy = mergeStrategy(
  (old, sent) => withEphemeralContainers(old as Pod, sent as Pod) as ApiObject,
  { validateUpdate: (next, old) => validateEphemeralChange(next as Pod, old as Pod) },
);

export const resizeStrategy = mergeStrategy((old, sent) => resized(old as Pod, sent as Pod) as ApiObject, {
  validateUpdate: (next, old, { r }) => [
    ...validateMetaUpdate(r, next.metadata, old.metadata),
    ...validateResize(next as Pod, old as Pod),
  ],
});

/** Kubernetes' verbs on one object. */
export type ObjectVerb = "create" | "delete" | "get" | "patch" | "update";

/** What there is to know about a subresource. */
export interface SubresourceDefinition {
  readonly verbs: readonly ObjectVerb[];
  /** The kind of its bodies, where that is not the object's own. */
  readonly bodyKind?: ResourceDefinition;
  /** The object in that kind, where it can be read. */
  readonly show?: (object: ApiObject) => ApiObject;
  /** How its writes change the object; absent where they do not. */
  readonly strategy?: Strategy;
  /** A connection to something alive, such as a shell: the kind of its options, and their query parameters. */
  readonly connects?: { readonly options: (r: ResourceDefinition) => string; readonly parameters: readonly string[] };
}

interface Scalable extends ApiObject {
  readonly spec: { readonly replicas?: number; readonly selector?: LabelSelectorLike };
  readonly status?: { readonly replicas?: number };
}

/** Scale as a kind, so that its bodies are read and checked like any other. */
export const scales: ResourceDefinition = define({
  group: "autoscaling",
  version: "v1",
  kind: "Scale",
  plural: "scales",
  scope: "Namespaced",
  published: "io.k8s.api.autoscaling.v1.Scale",
  schema: schemaOf("io.k8s.api.autoscaling.v1.Scale"),
  subresources: ["status"],
});

/** Eviction as a kind. */
export const evictions = define<Eviction & ApiObject>({
  group: "policy",
  version: "v1",
  kind: "Eviction",
  plural: "evictions",
  scope: "Namespaced",
  published: "io.k8s.api.policy.v1.Eviction",
  schema: schemaOf("io.k8s.api.policy.v1.Eviction"),
}) as unknown as ResourceDefinition;

/** The count in a scale; an absent one is none. */
export const replicasOf = (spec: { readonly replicas?: number } = {}): { readonly replicas: number } => ({
  replicas: spec.replicas ?? 0,
});

/** The desired and the current number of replicas of any scalable object. */
export function scaleOf(object: ApiObject): ApiObject {
  const { metadata, spec, status, kind } = object as Scalable;
  // A ReplicationController's selector is a map of labels.
  const selector =
    kind === replicationControllers.kind ? { matchLabels: spec.selector as Labels | undefined } : spec.selector;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: { name, ...(namespace !== undefined && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: replicasOf(spec),
    status: { replicas: status?.replicas ?? 0, selector: selectorText(selector) },
  } as ApiObject;
}

function withReplicas(old: ApiObject, sent: ApiObject): ApiObject {
  const { uid, resourceVersion } = sent.metadata;
  return {
    ...old,
    metadata: { ...old.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: { ...(old as Scalable).spec, ...replicasOf((sent as Scalable).spec) },
  } as ApiObject;
}

const customScale = (paths: ScalePaths): SubresourceDefinition => ({
  ...subresources.scale,
  show: (object) => customScaleOf(paths, object),
  strategy: mergeStrategy((old, sent) => withCustomReplicas(paths, old, sent)),
});

const changing: readonly ObjectVerb[] = ["get", "patch", "update"];
const streams = ["stderr", "stdin", "stdout", "tty"];
const connection = (kind: string, parameters: readonly string[]): SubresourceDefinition => ({
  verbs: ["create", "get"],
  connects: { options: () => kind, parameters },
});
const logParameters = [
  ...["container", "follow", "insecureSkipTLSVerifyBackend", "limitBytes", "pretty"],
  ...["previous", "sinceSeconds", "stream", "tailLines", "timestamps"],
];

/** All subresources. The definition of a kind names those it has. */
export const subresources: Readonly<Record<Subresource, SubresourceDefinition>> = {
  status: { verbs: changing, strategy: statusStrategy({}) },
  scale: { verbs: changing, bodyKind: scales, show: scaleOf, strategy: mergeStrategy(withReplicas) },
  approval: { verbs: changing, strategy: approvalStrategy },
  ephemeralcontainers: { verbs: changing, strategy: ephemeralContainersStrategy },
  resize: { verbs: changing, strategy: resizeStrategy },
  finalize: { verbs: ["update"], strategy: finalizeStrategy },
  binding: { verbs: ["create"], bodyKind: bindings as unknown as ResourceDefinition, strategy: bindingStrategy },
  eviction: { verbs: ["create"], bodyKind: evictions },
  token: { verbs: ["create"], bodyKind: tokenRequests as unknown as ResourceDefinition },
  log: { verbs: ["get"], connects: { options: ({ kind }) => kind, parameters: logParameters } },
  exec: connection("PodExecOptions", ["command", "container", ...streams]),
  attach: connection("PodAttachOptions", ["container", ...streams]),
  portforward: connection("PodPortForwardOptions", ["ports"]),
  proxy: {
    verbs: ["create", "delete", "get", "patch", "update"],
    connects: { options: ({ kind }) => `${kind}ProxyOptions`, parameters: ["path"] },
  },
};

/** The definition of a kind's subresource; undefined when the kind has none of this name. */
export function subresourceOf(r: ResourceDefinition, name: string): SubresourceDefinition | undefined {
  if (!(r.subresources as readonly string[]).includes(name)) return undefined;
  return name === "scale" && r.scaled ? customScale(r.scaled) : subresources[name as Subresource];
}

const writable: readonly (keyof ObjectMeta)[] = ["labels", "annotations", "finalizers", "ownerReferences"];
const returnsObject = { deletion: { returnsObject: true } } as const;
const orphans = { deletion: { dependents: "orphan" } } as const;
const childless = { deletion: { dependents: "none" } } as const;
const statusKeepsMetadata = { statusKeeps: writable };

/** Resources that differ from the default, by their qualified names. */
const ownStrategies: Readonly<Record<string, Partial<Strategy>>> = {
  pods: podStrategy,
  // A node reports its status when it registers.
  nodes: { prepareForCreate: (draft) => draft },
  namespaces: namespaceStrategy,
  "certificatesigningrequests.certificates.k8s.io": certificateRequestStrategy,
  "roles.rbac.authorization.k8s.io": roleStrategy,
  "clusterroles.rbac.authorization.k8s.io": roleStrategy,
  "rolebindings.rbac.authorization.k8s.io": roleBindingStrategy,
  "clusterrolebindings.rbac.authorization.k8s.io": roleBindingStrategy,
  replicationcontrollers: orphans,
  "jobs.batch": orphans,
  events: childless,
  "events.events.k8s.io": childless,
  podtemplates: returnsObject,
  services: returnsObject,
  serviceaccounts: returnsObject,
  resourcequotas: returnsObject,
  persistentvolumes: returnsObject,
  persistentvolumeclaims: returnsObject,
  "daemonsets.apps": daemonSetStrategy,
  "deployments.apps": { statusKeeps: ["labels"] },
  "flowschemas.flowcontrol.apiserver.k8s.io": statusKeepsMetadata,
  "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": statusKeepsMetadata,
  "validatingadmissionpolicies.admissionregistration.k8s.io": statusKeepsMetadata,
  "resourceclaims.resource.k8s.io": statusKeepsMetadata,
  "servicecidrs.networking.k8s.io": statusKeepsMetadata,
  "apiservices.apiregistration.k8s.io": statusKeepsMetadata,
  "customresourcedefinitions.apiextensions.k8s.io": customResourceDefinitionStrategy,
  "podgroups.scheduling.k8s.io": podGroupStrategy,
  "workloads.scheduling.k8s.io": podGroupStrategy,
};
/** Resources with a status strategy of their own. */
const ownStatus: Readonly<Record<string, Strategy>> = {
  "certificatesigningrequests.certificates.k8s.io": signingStrategy,
  "resourceclaims.resource.k8s.io": { ...statusStrategy(statusKeepsMetadata), ...claimStatusStrategy },
};

function strategyFor(r: ResourceDefinition, subresource: WritableSubresource | undefined): Strategy {
  const resource: Strategy = { ...defaultStrategy, ...ownStrategies[qualified(r)] };
  if (subresource === undefined) return resource;
  if (subresource === "status") return ownStatus[qualified(r)] ?? statusStrategy(resource);
  return subresourceOf(r, subresource)?.strategy ?? resource;
}

// Every write looks its strategy up.
const known = new WeakMap<ResourceDefinition, Map<WritableSubresource | undefined, Strategy>>();

/** The strategy for writes of the object, or of one of its subresources. */
export function strategyOf(r: ResourceDefinition, subresource?: WritableSubresource): Strategy {
  const ofResource = known.get(r) ?? new Map<WritableSubresource | undefined, Strategy>();
  known.set(r, ofResource);
  const found = ofResource.get(subresource) ?? strategyFor(r, subresource);
  ofResource.set(subresource, found);
  return found;
}
