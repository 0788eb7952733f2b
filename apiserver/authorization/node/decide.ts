// Decides the requests of kubelets: most kinds by their objects, the others by rules. Source: Kubernetes' node
// authorizer, whose reasons are shown to the user; KEP-4601 for what is read by selectors.
import { key } from "../../../api/meta.ts";
import { quoted } from "../../../api/quote.ts";
import type { Decision, RequestAttributes } from "../authorizer.ts";
import { ruleAllows } from "../rbac/rules.ts";
import type { NodeGraph } from "./graph.ts";
import { nodeNameOf } from "./identity.ts";
import type { ReachedKind } from "./references.ts";
import { nodeRules } from "./rules.ts";

/** A request of the kubelet of a node. */
interface KubeletRequest extends Omit<RequestAttributes, "user"> {
  readonly nodeName: string;
  readonly graph: Pick<NodeGraph, "reaches">;
}
type Decide = (request: KubeletRequest) => Decision;

const allowed: Decision = { allowed: true };
const unallowed: Decision = { allowed: false };
const refused = (reason: string): Decision => ({ allowed: false, reason });

const leaseNamespace = "kube-node-lease";
const readVerbs = ["get", "list", "watch"];
const ownVerbs = ["get", "create", "update", "patch", "delete"];

/** By the object's relation to the node. */
function related(kind: ReachedKind, { graph, nodeName, namespace, name }: KubeletRequest): Decision {
  if (!name) return refused("No Object name found");
  return graph.reaches(nodeName, kind, key(namespace || undefined, name))
    ? allowed
    : refused(`no relationship found between node '${nodeName}' and this object`);
}

/** Reads of one object by its name, which a watch of it can be as well. */
const readNamed =
  (kind: ReachedKind): Decide =>
  (request) => {
    if (!readVerbs.includes(request.verb)) return refused("can only read resources of this type");
    if (request.subresource) return refused("cannot read subresource");
    if (!request.namespace) return refused("can only read namespaced object of this type");
    return related(kind, request);
  };

const getOnly =
  (kind: ReachedKind): Decide =>
  (request) => {
    if (request.verb !== "get") return refused("can only get individual resources of this type");
    if (request.subresource) return refused("cannot get subresource");
    return related(kind, request);
  };

function decideClaim(request: KubeletRequest): Decision {
  if (request.subresource !== "status") return getOnly("persistentvolumeclaims")(request);
  if (request.verb !== "update" && request.verb !== "patch") return refused("can only get/update/patch this type");
  return related("persistentvolumeclaims", request);
}

function decideServiceAccount(request: KubeletRequest): Decision {
  const { verb, subresource, name } = request;
  if (verb === "get" && !subresource) return readNamed("serviceaccounts")(request);
  if (verb !== "create" || !name) return refused("can only create tokens for individual service accounts");
  if (subresource !== "token") return refused("can only create token subresource of serviceaccount");
  return related("serviceaccounts", request);
}

/** Under the node's own name. A create has no name yet: its admission decides. */
const hasOwnName = ({ verb, name, nodeName }: KubeletRequest): boolean => verb === "create" || name === nodeName;

function decideLease(request: KubeletRequest): Decision {
  if (!ownVerbs.includes(request.verb)) return refused("can only get, create, update, patch, or delete a node lease");
  if (request.namespace !== leaseNamespace)
    return refused(`can only access leases in the ${quoted(leaseNamespace)} system namespace`);
  return hasOwnName(request)
    ? allowed
    : refused("can only access node lease with the same name as the requesting node");
}

function decideCsiNode(request: KubeletRequest): Decision {
  if (!ownVerbs.includes(request.verb)) return refused("can only get, create, update, patch, or delete a CSINode");
  if (request.subresource) return refused("cannot authorize CSINode subresources");
  return hasOwnName(request) ? allowed : refused("can only access CSINode with the same name as the requesting node");
}

/** Only objects that name the node are selected. */
const selectsOwn = ({ fieldSelector, nodeName }: KubeletRequest): boolean =>
  fieldSelector?.some(({ field, equal, value }) => field === "spec.nodeName" && equal && value === nodeName) === true;

const sliceVerbs = "get, watch, list, create, update, patch, delete, deletecollection";
function decideSlice(request: KubeletRequest): Decision {
  if (request.subresource) return refused("cannot authorize ResourceSlice subresources");
  switch (request.verb) {
    case "create":
      return allowed;
    case "get":
    case "update":
    case "patch":
    case "delete":
      return related("resourceslices", request);
    case "list":
    case "watch":
    case "deletecollection":
      return selectsOwn(request)
        ? allowed
        : refused("can only list/watch/deletecollection resourceslices with nodeName field selector");
    default:
      return refused(`only the following verbs are allowed for a ResourceSlice: ${sliceVerbs}`);
  }
}

const writesOf: Readonly<Record<string, readonly string[]>> = {
  nodes: ["create", "update", "patch"],
  "nodes/status": ["update", "patch"],
  pods: ["create", "delete"],
  "pods/status": ["update", "patch"],
  "pods/eviction": ["create"],
};
/** Writes that admission confines to the node and to its pods. */
const mayWrite = ({ resource, subresource, verb }: KubeletRequest): boolean =>
  writesOf[subresource ? `${resource}/${subresource}` : resource!]?.includes(verb) === true;

/** By name instead of relation: a kubelet reads its node before it creates it. */
function decideNode(request: KubeletRequest): Decision {
  const { verb, subresource, name, nodeName } = request;
  if (subresource || !readVerbs.includes(verb)) return mayWrite(request) ? allowed : unallowed;
  if (name === nodeName) return allowed;
  return name
    ? refused(`node '${nodeName}' cannot read '${name}', only its own Node object`)
    : refused(`node '${nodeName}' cannot read all nodes, only its own Node object`);
}

function decidePod(request: KubeletRequest): Decision {
  const { verb, subresource, name } = request;
  if (subresource || !readVerbs.includes(verb)) return mayWrite(request) ? allowed : unallowed;
  if (verb === "get" || (name && !selectsOwn(request))) return related("pods", request);
  return selectsOwn(request) ? allowed : refused("can only list/watch pods with spec.nodeName field selector");
}

/** Kinds that are decided by their objects, by plural and group. */
const deciders: ReadonlyMap<string, Decide> = new Map(
  Object.entries<Decide>({
    secrets: readNamed("secrets"),
    configmaps: readNamed("configmaps"),
    persistentvolumeclaims: decideClaim,
    persistentvolumes: getOnly("persistentvolumes"),
    "resourceclaims.resource.k8s.io": getOnly("resourceclaims"),
    "volumeattachments.storage.k8s.io": getOnly("volumeattachments"),
    serviceaccounts: decideServiceAccount,
    "leases.coordination.k8s.io": decideLease,
    "csinodes.storage.k8s.io": decideCsiNode,
    "resourceslices.resource.k8s.io": decideSlice,
    nodes: decideNode,
    pods: decidePod,
    // No volume of a pod is a certificate here.
    "podcertificaterequests.certificates.k8s.io": () => unallowed,
  }),
);

/** Without an opinion about other users than kubelets. */
export function decide(graph: Pick<NodeGraph, "reaches">, { user, ...info }: RequestAttributes): Decision {
  const nodeName = nodeNameOf(user);
  if (nodeName === undefined) return unallowed;
  if (nodeName === "") return refused(`unknown node for user ${quoted(user.name)}`);
  const { resource, group } = info;
  const decider = resource === undefined ? undefined : deciders.get(group ? `${resource}.${group}` : resource);
  if (decider) return decider({ ...info, nodeName, graph });
  return nodeRules.some((rule) => ruleAllows(rule, info)) ? allowed : unallowed;
}
