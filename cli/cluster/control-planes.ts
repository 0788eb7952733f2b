// The control planes of a cluster: one, or several behind a load balancer, each with a member of the etcd cluster.
import { addresses, nodeConfigDir } from "./config.ts";
import { addressIn } from "./subnet.ts";

/** The name and address of a container. */
export interface Place {
  readonly name: string;
  readonly ip: string;
}

/** Numbers of control planes. A majority of an even number is no smaller than that of the next one. */
export const controlPlaneCounts: readonly number[] = [1, 3, 5];

/** Where the n-th control plane is, from 1. The addresses from 11 on are those of workers. */
export const controlPlaneNumber = (cluster: string, subnet: string, n: number): Place =>
  n === 1
    ? { name: `${cluster}-control-plane`, ip: addressIn(subnet, 2) }
    : { name: `${cluster}-control-plane-${n}`, ip: addressIn(subnet, 2 + n) };

/** Where the load balancer of several control planes is. */
export const loadBalancerPlace = (cluster: string, subnet: string): Place => ({
  name: `${cluster}-load-balancer`,
  ip: addressIn(subnet, 9),
});

/** The control planes of a cluster, and the load balancer in front of several. */
export interface ControlPlanes {
  readonly controlPlane: Place;
  readonly furtherControlPlanes?: readonly Place[];
  readonly loadBalancer?: Place;
}

/** All control planes. */
export const controlPlanesOf = ({ controlPlane, furtherControlPlanes = [] }: ControlPlanes): readonly Place[] => [
  controlPlane,
  ...furtherControlPlanes,
];

/** Where nodes and users reach the API. */
export const endpointOf = ({ controlPlane, loadBalancer }: ControlPlanes): Place => loadBalancer ?? controlPlane;

/** The volume of a control plane's store. */
export const storeVolume = ({ name, controlPlane }: ControlPlanes & { readonly name: string }, of: Place): string =>
  of.name === controlPlane.name ? `${name}-etcd` : `${of.name}-etcd`;

/** The address for other members of the etcd cluster. A single member has none. */
export const peerUrl = ({ ip }: Place): string => `https://${ip}:2380`;

const etcdClientUrl = "https://127.0.0.1:2379";
/** Where the API server beside a member reaches it: by name, since gRPC in Node.js refuses addresses for TLS. */
export const etcdEndpoint = "https://localhost:2379";
/** Its health and metrics, for this container only, and nothing of what it stores. */
const etcdHealthUrl = "http://127.0.0.1:2381";

/** With an authority to trust, etcd requires a certificate of every client. */
const mutualTls = (pair: string, authority: string) => ({
  "cert-file": `${nodeConfigDir}/${pair}.crt`,
  "key-file": `${nodeConfigDir}/${pair}.key`,
  "trusted-ca-file": `${nodeConfigDir}/${authority}.crt`,
});

/**
 * The configuration file of an etcd member. Its only client is the API server beside it. Clients and other members
 * authenticate by certificates of two authorities, which sign nothing else: no certificate of the cluster, and none of
 * a member, gives access to the store.
 */
export function etcdConfig(self: Place, all: readonly Place[], clusterState: "new" | "existing"): object {
  const isAlone = all.length === 1;
  const urlOf = (member: Place): string => (isAlone ? "https://127.0.0.1:2380" : peerUrl(member));
  const clients = mutualTls("etcd-server", "etcd-clients-ca");
  return {
    ...{ name: self.name, "data-dir": "/var/lib/store/etcd", logger: "zap" },
    // On by default, but not with a configuration file.
    "enable-grpc-gateway": true,
    ...{ "listen-client-urls": etcdClientUrl, "advertise-client-urls": etcdClientUrl },
    "listen-metrics-urls": etcdHealthUrl,
    ...{ "listen-peer-urls": urlOf(self), "initial-advertise-peer-urls": urlOf(self) },
    "initial-cluster": all.map((member) => `${member.name}=${urlOf(member)}`).join(","),
    "initial-cluster-state": clusterState,
    ...{ "quota-backend-bytes": 4 * 2 ** 30, "snapshot-count": 10_000 },
    "client-transport-security": clients,
    "peer-transport-security": isAlone ? clients : mutualTls("etcd-peer", "etcd-ca"),
  };
}

/** Configuration of the load balancer. */
export interface LoadBalancerConfig {
  readonly listen: { readonly host: string; readonly port: number };
  /** Addresses of the API servers. */
  readonly backends: readonly { readonly host: string; readonly port: number }[];
  /** The file with the certificate of the cluster's authority. */
  readonly ca: string;
}

/** The configuration of a cluster's load balancer. */
export const loadBalancerConfig = (planes: readonly Place[]): LoadBalancerConfig => ({
  listen: { host: "0.0.0.0", port: addresses.apiPort },
  backends: planes.map(({ ip }) => ({ host: ip, port: addresses.apiPort })),
  ca: `${nodeConfigDir}/ca.crt`,
});
