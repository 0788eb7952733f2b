// Certificate approver: approves requests of nodes for the certificates they are entitled to. Client certificates by a
// review of the requester's rights, as Kubernetes does; serving certificates when all names are the node's own, which
// Kubernetes leaves to others (docs/decisions/043-node-certificates.md).
import { subjectAccessReviews } from "../../api/authorization/accessreviews.ts";
import { certificateSigningRequests } from "../../api/certificates/certificatesigningrequests.ts";
import { nodes } from "../../api/core/nodes.ts";
import { endpointSlices } from "../../api/discovery/endpointslices.ts";
import type { CertificateSigningRequest as Request, SubjectAccessReview } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { type Draft, type Key, key, keyOf } from "../../api/meta.ts";
import type { CertificateRequest } from "../../machinery/certificates/requests.ts";
import type { Client } from "../../machinery/client.ts";
import { type Controller, controller, type Decision, settled, type Views, watch } from "../../machinery/controller.ts";
import { has, pemOf } from "./conditions.ts";
import {
  isCsiClient,
  isNetworkClient,
  kubeletClientProblem,
  kubeletServingProblem,
  nodePrefix,
  signerResource,
  signers,
} from "./recognize.ts";
import { type ServingContext, servingProblem } from "./serving-names.ts";

export interface Observed extends ServingContext {
  readonly request: Request;
}

/** Whether a user may make a request of this kind. */
type MayCreate = (request: Request, subresource: string) => Promise<boolean>;

const approved = (request: Request, message: string): Decision => ({
  actions: [
    {
      do: "approve",
      resource: certificateSigningRequests,
      object: request,
      status: {
        ...request.status,
        conditions: [
          ...(request.status?.conditions ?? []),
          { type: "Approved", status: "True", reason: "AutoApproved", message },
        ],
      },
    },
  ],
  because: [message],
});
const left = (because: string): Decision => ({ actions: [], because: [because] });

/** Rights by which client certificates of nodes are approved, the requester's own first. */
const clientRights = [
  ["selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."],
  ["nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview."],
] as const;

/** The rights by which certificates of a node's other clients are approved, as those of kubelets are. */
const otherRights = { network: "networkclient", csi: "csiclient" } as const;

async function decideOther(
  request: Request,
  content: CertificateRequest,
  usages: readonly string[],
  mayCreate: MayCreate,
): Promise<Decision> {
  const isNetwork = isNetworkClient(content, usages);
  if (!isNetwork && !isCsiClient(content, usages, request.spec.username)) return settled;
  const right = isNetwork ? otherRights.network : otherRights.csi;
  const owner = isNetwork ? "network" : "CSI drivers";
  return (await mayCreate(request, right))
    ? approved(request, `Auto approving client certificate of a node's ${owner} after SubjectAccessReview.`)
    : left(`recognized as ${right}, but the requester has no such right`);
}

async function decideClient(request: Request, content: CertificateRequest, mayCreate: MayCreate): Promise<Decision> {
  const isOwn = request.spec.username === content.commonName;
  const tried = clientRights.slice(isOwn ? 0 : 1);
  for (const [subresource, message] of tried)
    if (await mayCreate(request, subresource)) return approved(request, message);
  return left(`recognized as ${tried.map(([name]) => name).join(", ")}, but the requester has no such right`);
}

/** What becomes of a request that was read. */
export async function decideContent(
  { request, ...context }: Observed,
  content: CertificateRequest,
  mayCreate: MayCreate,
): Promise<Decision> {
  const { signerName, usages = [] } = request.spec;
  if (signerName === signers.kubeletClient)
    return kubeletClientProblem(content, usages) === undefined ? decideClient(request, content, mayCreate) : settled;
  if (signerName === signers.apiClient) return decideOther(request, content, usages, mayCreate);
  if (kubeletServingProblem(content, usages) !== undefined) return settled;
  const problem = servingProblem(content, request.spec, context);
  return problem === undefined
    ? approved(request, "Auto approving kubelet serving certificate: all of its names are the node's own.")
    : left(problem);
}

const ownSigners: readonly string[] = [signers.apiClient, signers.kubeletClient, signers.kubeletServing];
const isOpen = (request: Request): boolean =>
  !request.status?.certificate &&
  !has(request, "Approved") &&
  !has(request, "Denied") &&
  ownSigners.includes(request.spec.signerName);

async function read(observed: Observed, mayCreate: MayCreate): Promise<Decision> {
  const { request } = observed;
  const { parseRequest } = await import("../../machinery/certificates/requests.ts");
  let content: CertificateRequest;
  try {
    content = parseRequest(pemOf(request));
  } catch (e) {
    const name = JSON.stringify(request.metadata.name);
    return { actions: [], failure: `unable to parse csr ${name}: ${(e as Error).message}` };
  }
  return decideContent(observed, content, mayCreate);
}

const decide =
  (mayCreate: MayCreate) =>
  (observed: Observed): Decision =>
    isOpen(observed.request)
      ? { actions: [], effect: { description: "read the request", run: () => read(observed, mayCreate) } }
      : settled;

/** Asks the API server. */
const reviewed =
  (client: Client): MayCreate =>
  async ({ spec: { username, uid, groups, extra } }, subresource) => {
    const resourceAttributes = {
      ...{ group: certificateSigningRequests.group, resource: certificateSigningRequests.plural },
      ...{ verb: "create", subresource, version: "*" },
    };
    const review: Draft<SubjectAccessReview> = {
      kind: "SubjectAccessReview",
      metadata: {},
      spec: {
        ...(username !== undefined && { user: username }),
        ...{ ...(uid !== undefined && { uid }), ...(groups && { groups }), ...(extra && { extra }) },
        resourceAttributes,
      },
    };
    return (await client.create(subjectAccessReviews, review)).status?.allowed === true;
  };

/** The node that a serving certificate is requested by. */
const nodeOf = ({ spec: { signerName, username = "" } }: Request): readonly string[] =>
  signerName === signers.kubeletServing && username.startsWith(nodePrefix) ? [username.slice(nodePrefix.length)] : [];

const ownSlice = key("default", "kubernetes");
const apiServersIn = (views: Views): readonly string[] =>
  (views.of(endpointSlices).get(ownSlice)?.endpoints ?? []).flatMap(({ addresses }) => addresses);

/** `reserved` are the names in the API server's own certificate; the addresses of the others are looked up. */
export const certificateApprover = (client: Client, reserved: readonly string[]): Controller<Observed> =>
  controller<Request, Observed>({
    name: "csrapproving",
    account: "certificate-controller",
    reconciles: certificateSigningRequests,
    indexes: { node: nodeOf },
    watches: [
      watch(nodes, (node, { views, before }): readonly Key[] =>
        sameJson(node.status?.addresses, before?.status?.addresses)
          ? []
          : views.of(certificateSigningRequests).byIndex("node", node.metadata.name).map(keyOf),
      ),
      watch(endpointSlices),
    ],
    writes: [
      { kind: certificateSigningRequests, subresource: "approval", verbs: ["update"] },
      { kind: signerResource, names: ownSigners, verbs: ["approve"] },
      { kind: subjectAccessReviews, verbs: ["create"] },
    ],
    observe(views, k) {
      const request = views.of(certificateSigningRequests).get(k);
      return request && { request, nodes: views.of(nodes).all(), reserved: [...reserved, ...apiServersIn(views)] };
    },
    decide: decide(reviewed(client)),
  });
