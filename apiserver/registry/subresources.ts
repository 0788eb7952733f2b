// Subresources, each declared once: routing, discovery, OpenAPI, metrics and the way it is written follow from its
// entry here. Handlers of what is not a write of the object are with the verbs.
import type { Eviction } from "../../api/generated/types.ts";
import { bindings } from "../../api/core/bindings.ts";
import { replicationControllers } from "../../api/core/replicationcontrollers.ts";
import { tokenRequests } from "../../api/authentication/tokenrequests.ts";
import { type ResourceDefinition, type Subresource, define } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { schemaOf } from "../../api/schema.ts";
import { type LabelSelectorLike, type Labels, selectorText } from "../../api/selector.ts";
import { mergeStrategy, statusStrategy } from "./prepare.ts";
import { approvalStrategy } from "./strategies/certificate-requests.ts";
import { finalizeStrategy } from "./strategies/namespaces.ts";
import { bindingStrategy, ephemeralContainersStrategy, resizeStrategy } from "./strategies/pods.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** Kubernetes' verbs on one object. */
export type ObjectVerb = "create" | "delete" | "get" | "patch" | "update";

/** What there is to know about a subresource. */
export interface SubresourceDefinition {
  readonly verbs: readonly ObjectVerb[];
  /** The kind of its bodies, where that is not the object's own. */
  readonly speaks?: ResourceDefinition;
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

/** The wanted and the current number of replicas of any scalable object. */
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

function scaled(old: ApiObject, sent: ApiObject): ApiObject {
  const { uid, resourceVersion } = sent.metadata;
  return {
    ...old,
    metadata: { ...old.metadata, ...(uid && { uid }), ...(resourceVersion && { resourceVersion }) },
    spec: { ...(old as Scalable).spec, ...replicasOf((sent as Scalable).spec) },
  } as ApiObject;
}

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
  scale: { verbs: changing, speaks: scales, show: scaleOf, strategy: mergeStrategy(scaled) },
  approval: { verbs: changing, strategy: approvalStrategy },
  ephemeralcontainers: { verbs: changing, strategy: ephemeralContainersStrategy },
  resize: { verbs: changing, strategy: resizeStrategy },
  finalize: { verbs: ["update"], strategy: finalizeStrategy },
  binding: { verbs: ["create"], speaks: bindings as unknown as ResourceDefinition, strategy: bindingStrategy },
  eviction: { verbs: ["create"], speaks: evictions },
  token: { verbs: ["create"], speaks: tokenRequests as unknown as ResourceDefinition },
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
export const subresourceOf = (r: ResourceDefinition, name: string): SubresourceDefinition | undefined =>
  (r.subresources as readonly string[]).includes(name) ? subresources[name as Subresource] : undefined;
