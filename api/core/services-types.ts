// What the type of a service implies: a cluster IP, node ports, a health check port.
import type { Service, ServiceSpec } from "../generated/types.ts";

/** A service or a draft of one. */
export type ServiceLike = Pick<Service, "spec">;

/** Without a cluster IP: DNS returns the addresses of the pods. */
export const isHeadless = ({ spec }: ServiceLike): boolean =>
  spec.clusterIP === "None" && (spec.clusterIPs === undefined || spec.clusterIPs.length <= 1);

/** Has cluster IPs, which may be `None`. */
export const hasAddress = ({ type }: ServiceSpec): boolean => type !== "ExternalName";

/** Has a port on every node. */
export const hasNodePorts = ({ type }: ServiceSpec): boolean => type === "NodePort" || type === "LoadBalancer";

/** A load balancer can opt out of the allocation of node ports; explicit ones remain valid. */
export const wantsNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** Reachable from outside the cluster. */
export const isExternallyAccessible = (spec: ServiceSpec): boolean =>
  hasNodePorts(spec) || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);

/** A load balancer with the local policy checks each node for endpoints. */
export const needsHealthCheck = (spec: ServiceSpec): boolean =>
  spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
