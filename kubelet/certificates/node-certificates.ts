// The certificates of a node: of the kubelet as a client of the API server, of its own port,
// of its network, and of the controllers beside its CSI drivers.
import { join } from "node:path";
import type { Instant } from "../../api/meta.ts";
import type { Pair } from "./certificate-file.ts";
import { type CertificateOptions, type RotatingCertificate, rotatingCertificate } from "./rotation.ts";

/** The node that the certificates name, and where they are kept. */
export interface NodeCertificateSettings {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly stateDir: string;
  /** The requested lifetime of new ones; the signer's longest by default. */
  readonly certificateSeconds?: number;
}

const subjectOf = (nodeName: string) => ({
  ...{ commonName: `system:node:${nodeName}`, organizations: ["system:nodes"] },
});

/** The file of the client certificate. Other programs of the node that are its clients read it, too. */
export const clientCertificateFile = (stateDir: string): string => join(stateDir, "pki", "kubelet-client-current.pem");

/** How the client certificate is requested: without further names. */
export const clientCertificate = ({
  nodeName,
  stateDir,
  certificateSeconds,
}: Omit<NodeCertificateSettings, "nodeIp">): CertificateOptions => ({
  ...{ signerName: "kubernetes.io/kube-apiserver-client-kubelet", usages: ["digital signature", "client auth"] },
  ...{ content: subjectOf(nodeName), file: clientCertificateFile(stateDir), expirationSeconds: certificateSeconds },
});

/** How the serving certificate is requested: for the node's name and address. */
const servingCertificate = ({
  nodeName,
  nodeIp,
  stateDir,
  certificateSeconds,
}: NodeCertificateSettings): CertificateOptions => ({
  ...{ signerName: "kubernetes.io/kubelet-serving", usages: ["digital signature", "server auth"] },
  content: { ...subjectOf(nodeName), dnsNames: [nodeName], ipAddresses: [nodeIp] },
  ...{ file: join(stateDir, "pki", "kubelet-server-current.pem"), expirationSeconds: certificateSeconds },
});

/** How the client certificate of the node's network is requested: all nodes' networks are one user. */
const networkCertificate = ({ stateDir, certificateSeconds }: NodeCertificateSettings): CertificateOptions => ({
  ...{ signerName: "kubernetes.io/kube-apiserver-client", usages: ["digital signature", "client auth"] },
  content: { commonName: "system:kube-proxy", organizations: [] },
  ...{ file: join(stateDir, "pki", "network-client-current.pem"), expirationSeconds: certificateSeconds },
});

/** The file of the certificate of the CSI drivers' controllers, which run in a process of their own. */
export const csiCertificateFile = (stateDir: string): string => join(stateDir, "pki", "csi-client-current.pem");

/** How that certificate is requested. */
const csiCertificate = ({ nodeName, stateDir, certificateSeconds }: NodeCertificateSettings): CertificateOptions => ({
  ...{ signerName: "kubernetes.io/kube-apiserver-client", usages: ["digital signature", "client auth"] },
  content: { commonName: `orrery.dev:csi-driver:${nodeName}`, organizations: ["orrery.dev:csi-drivers"] },
  ...{ file: csiCertificateFile(stateDir), expirationSeconds: certificateSeconds },
});

export interface NodeCertificates {
  readonly client: RotatingCertificate;
  readonly serving: RotatingCertificate;
  readonly network: RotatingCertificate;
  readonly csi: RotatingCertificate;
}

/** Opens them. The initial pairs are used until the first renewal. */
export async function nodeCertificates(
  settings: NodeCertificateSettings,
  initial: Readonly<Partial<Record<keyof NodeCertificates, Pair | undefined>>>,
  now: Instant,
): Promise<NodeCertificates> {
  const [client, serving, network, csi] = await Promise.all([
    rotatingCertificate({ ...clientCertificate(settings), initial: initial.client }, now),
    rotatingCertificate({ ...servingCertificate(settings), initial: initial.serving }, now),
    rotatingCertificate({ ...networkCertificate(settings), initial: initial.network }, now),
    rotatingCertificate({ ...csiCertificate(settings), initial: initial.csi }, now),
  ]);
  return { client, serving, network, csi };
}
