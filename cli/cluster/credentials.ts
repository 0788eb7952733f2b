// The certificates of a cluster's components, and the kubeconfig of its administrator.
import { stringify } from "yaml";
import { addresses, type Worker } from "./config.ts";
import type { Place } from "./control-planes.ts";
import type { Authority, Pem } from "./pki.ts";

/** Names and addresses of the API server. */
const apiServerHosts = (places: readonly Place[]): readonly string[] => [
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  `kubernetes.default.svc.${addresses.clusterDomain}`,
  "localhost",
  "127.0.0.1",
  addresses.apiService,
  ...places.flatMap(({ name, ip }) => [name, ip]),
];

/** Certificates of a control plane that is reached at these places, by file name. */
export const controlPlaneCredentials = async (
  authority: Authority,
  ...places: readonly Place[]
): Promise<Readonly<Record<string, Pem>>> => {
  const [apiserver, kubeletClient, scheduler, controllerManager] = await Promise.all([
    authority.issue({ name: "kube-apiserver", hosts: apiServerHosts(places), use: "server" }),
    authority.issue({ name: "kube-apiserver-kubelet-client", use: "client" }),
    authority.issue({ name: "system:kube-scheduler", use: "client" }),
    authority.issue({ name: "system:kube-controller-manager", use: "client" }),
  ]);
  return { apiserver, "apiserver-kubelet-client": kubeletClient, scheduler, "controller-manager": controllerManager };
};

/** Nodes renew their certificates, as long as the cluster runs. */
const nodeDays = 365;

/** The client certificate of a node's network: routes, the service proxy and DNS. */
export const networkCredentials = (authority: Authority): Promise<Pem> =>
  authority.issue({ name: "system:kube-proxy", use: "client", days: nodeDays });

/** The client certificate of the controllers beside the CSI drivers of a node. */
export const csiCredentials = (authority: Authority, node: string): Promise<Pem> =>
  authority.issue({
    ...{ name: `orrery.dev:csi-driver:${node}`, groups: ["orrery.dev:csi-drivers"] },
    ...{ use: "client", days: nodeDays },
  });

/** Certificates of a worker, by file name: of its components as clients, and of the kubelet's own port. */
export const workerCredentials = async (
  authority: Authority,
  worker: Worker,
): Promise<Readonly<Record<string, Pem>>> => {
  const name = `system:node:${worker.name}`;
  const [client, kubelet, network, csi] = await Promise.all([
    authority.issue({ name, groups: ["system:nodes"], use: "client", days: nodeDays }),
    authority.issue({
      ...{ name, groups: ["system:nodes"], use: "server", days: nodeDays },
      hosts: [worker.name, worker.ip, "127.0.0.1"],
    }),
    networkCredentials(authority),
    csiCredentials(authority, worker.name),
  ]);
  return { "kubelet-client": client, kubelet, network, csi };
};

/** The client certificate of the cluster autoscaler. */
export const autoscalerCredentials = (authority: Authority): Promise<Pem> =>
  authority.issue({ name: "system:cluster-autoscaler", use: "client" });

/** The certificate of the cluster's registry. */
export const registryCredentials = (authority: Authority, { name, ip }: Place): Promise<Pem> =>
  authority.issue({ name: "registry", hosts: [name, ip], use: "server" });

/** The certificate of a worker's engine for pulls from the registry. It has no rights at the API server. */
export const engineCredentials = (authority: Authority, { name }: Worker): Promise<Pem> =>
  authority.issue({ name: `engine:${name}`, use: "client" });

/** The certificate of an etcd member, as a server and as a client of the others. */
export const etcdPeerCredentials = (etcdAuthority: Authority, { name, ip }: Place): Promise<Pem> =>
  etcdAuthority.issue({ name: "etcd-peer", hosts: [name, ip], use: "peer" });

/**
 * Certificates by which a member of etcd and its client authenticate each other, by file name. The member's own gateway
 * is a client, too.
 */
export const etcdClientCredentials = async (
  clientsAuthority: Authority,
  { name, ip }: Place,
): Promise<Readonly<Record<string, Pem>>> => {
  const [server, client] = await Promise.all([
    clientsAuthority.issue({ name: "etcd-server", hosts: [name, ip, "localhost", "127.0.0.1"], use: "peer" }),
    clientsAuthority.issue({ name: `kube-apiserver-etcd-client:${name}`, use: "client" }),
  ]);
  return { "etcd-server": server, "etcd-client": client };
};

/** The client certificate of the cluster's administrator. */
export const adminCredentials = (authority: Authority): Promise<Pem> =>
  authority.issue({ name: "kubernetes-admin", groups: ["system:masters"], use: "client" });

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** A kubeconfig with embedded certificates, so that it can be copied elsewhere. */
export const kubeconfig = (cluster: string, server: string, caCert: string, admin: Pem): string => {
  const name = cluster === "orrery" ? "orrery" : `orrery-${cluster}`;
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": base64(caCert) } }],
    users: [{ name, user: { "client-certificate-data": base64(admin.cert), "client-key-data": base64(admin.key) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
    preferences: {},
  });
};
