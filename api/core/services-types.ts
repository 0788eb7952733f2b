// What the types of a service bring with them: which of them have an address, ports of the nodes, a port for health.
import type { Service, ServiceSpec } from "../generated/types.ts";

/** As far as these questions go, a draft answers like a service. */
export type ServiceLike = Pick<Service, "spec">;

/** No cluster address: DNS answers with the pods' own. */
export const isHeadless = ({ spec }: ServiceLike): boolean =>
  spec.clusterIP === "None" && (spec.clusterIPs === undefined || spec.clusterIPs.length <= 1);

/** An address of its own, or at least the word that it has none. */
export const hasAddress = ({ type }: ServiceSpec): boolean => type !== "ExternalName";

/** Reached at a port of every node. */
export const hasNodePorts = ({ type }: ServiceSpec): boolean => type === "NodePort" || type === "LoadBalancer";

/** A balancer may be told to do without ports of the nodes; one that is named is taken all the same. */
export const wantsNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** Whoever comes from outside the cluster may come to it. */
export const isReachedFromOutside = (spec: ServiceSpec): boolean =>
  hasNodePorts(spec) || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);

/** A balancer that keeps to the nodes with endpoints asks each node whether it is one. */
export const needsHealthCheck = (spec: ServiceSpec): boolean =>
  spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";
