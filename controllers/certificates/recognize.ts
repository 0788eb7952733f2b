// Which requests for certificates the cluster's signers accept, by subject, names and usages. Pure. Source: the page
// "Certificate Signing Requests" of the Kubernetes documentation.
import type { CertificateRequest } from "../../machinery/certificates/requests.ts";

/** The signers of the cluster's own authority. */
export const signers = {
  apiClient: "kubernetes.io/kube-apiserver-client",
  kubeletClient: "kubernetes.io/kube-apiserver-client-kubelet",
  kubeletServing: "kubernetes.io/kubelet-serving",
  legacyUnknown: "kubernetes.io/legacy-unknown",
} as const;

/** The resource by whose names and verbs `approve` and `sign` roles say who may do what. */
export const signerResource = { group: "certificates.k8s.io", plural: "signers" };

/** The group of nodes, and how their names begin. */
export const nodesGroup = "system:nodes";
export const nodePrefix = "system:node:";

type Usages = readonly string[];

/** Exactly these usages; the first of them only for keys that can encipher. */
function usageProblem(usages: Usages, purpose: string): string | undefined {
  const required = ["digital signature", "key encipherment", purpose].toSorted();
  const distinct = [...new Set(usages)].toSorted();
  const isSame = (others: Usages): boolean => distinct.join() === others.join();
  const isRight = isSame(required) || isSame(required.filter((usage) => usage !== "key encipherment"));
  return isRight ? undefined : `usages did not match [${required.join(" ")}]`;
}

const isOfNodes = ({ organizations }: CertificateRequest): boolean =>
  organizations.length === 1 && organizations[0] === nodesGroup;
const organizationProblem = "subject organization is not system:nodes";
const nameProblem = "subject common name does not begin with system:node:";

/** Why a request is not for the certificate of a kubelet's own port, if it is not. */
export function kubeletServingProblem(request: CertificateRequest, usages: Usages): string | undefined {
  const { commonName, dnsNames, ipAddresses, emailAddresses, uris } = request;
  if (!isOfNodes(request)) return organizationProblem;
  if (dnsNames.length + ipAddresses.length === 0) return "DNS or IP subjectAltName is required";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  return usageProblem(usages, "server auth") ?? (commonName.startsWith(nodePrefix) ? undefined : nameProblem);
}

/** Why a request is not for the client certificate of a kubelet, if it is not. */
export function kubeletClientProblem(request: CertificateRequest, usages: Usages): string | undefined {
  const { commonName, dnsNames, ipAddresses, emailAddresses, uris } = request;
  if (!isOfNodes(request)) return organizationProblem;
  if (dnsNames.length > 0) return "DNS subjectAltNames are not allowed";
  if (emailAddresses.length > 0) return "Email subjectAltNames are not allowed";
  if (ipAddresses.length > 0) return "IP subjectAltNames are not allowed";
  if (uris.length > 0) return "URI subjectAltNames are not allowed";
  if (!commonName.startsWith(nodePrefix)) return nameProblem;
  return usageProblem(usages, "client auth");
}

/** The user of the network of every node. */
const networkUser = "system:kube-proxy";
const csiGroup = "orrery.dev:csi-drivers";
const csiUser = (node: string): string => `orrery.dev:csi-driver:${node}`;

const isPlainClient = ({ dnsNames, ipAddresses, emailAddresses, uris }: CertificateRequest, usages: Usages): boolean =>
  [dnsNames, ipAddresses, emailAddresses, uris].every((all) => all.length === 0) &&
  usageProblem(usages, "client auth") === undefined;

/** Whether a request is for the client certificate of a node's network: that user, and nothing else. */
export const isNetworkClient = (request: CertificateRequest, usages: Usages): boolean =>
  request.commonName === networkUser && request.organizations.length === 0 && isPlainClient(request, usages);

/** Whether a node requests the client certificate of the controllers beside its own CSI drivers, and nothing else. */
export const isCsiClient = (request: CertificateRequest, usages: Usages, requester: string | undefined): boolean =>
  requester?.startsWith(nodePrefix) === true &&
  request.commonName === csiUser(requester.slice(nodePrefix.length)) &&
  request.organizations.length === 1 &&
  request.organizations[0] === csiGroup &&
  isPlainClient(request, usages);

function apiClientProblem(_request: CertificateRequest, usages: Usages): string | undefined {
  const optional = ["digital signature", "key encipherment"];
  const other = usages.find((usage) => usage !== "client auth" && !optional.includes(usage));
  if (other !== undefined) return `invalid usage for client certificate: ${other}`;
  return usages.includes("client auth") ? undefined : "missing required usage for client certificate: client auth";
}

/** Why a signer refuses a request; undefined when it signs it. */
export const signerProblems: Readonly<
  Record<string, (request: CertificateRequest, usages: Usages) => string | undefined>
> = {
  [signers.apiClient]: apiClientProblem,
  [signers.kubeletClient]: kubeletClientProblem,
  [signers.kubeletServing]: kubeletServingProblem,
  [signers.legacyUnknown]: () => undefined,
};
