// The endpoints of a service by port: which pods, at which addresses, ready or not. Pure; slices and Endpoints share
// it.
import type {
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointHints,
  Node,
  Pod,
  Service,
  ServicePort,
} from "../../api/generated/types.ts";
import { canonicalJson } from "../../api/hash.ts";
import { isReady, isTerminal } from "../../api/core/pod/status.ts";
import { selects } from "../../api/selector.ts";
import { hasHints } from "./topology.ts";

/** Endpoints with the same ports: the content of one slice or subset. */
export interface Group {
  readonly ports: readonly DiscoveryV1EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

function targetOf(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === "number") return target;
  const all = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always")];
  return all
    .flatMap((c) => c.ports ?? [])
    .find((p) => p.name === target && (p.protocol ?? "TCP") === (port.protocol ?? "TCP"))?.containerPort;
}

function portsFor(service: Service, pod: Pod): readonly DiscoveryV1EndpointPort[] {
  return (service.spec.ports ?? []).flatMap((p) => {
    const port = targetOf(p, pod);
    if (port === undefined) return [];
    const { name = "", protocol = "TCP", appProtocol } = p;
    return [{ name, protocol, port, ...(appProtocol && { appProtocol }) }];
  });
}

/** Where traffic to this endpoint should come from, as the service asks (KEP-4444, KEP-3015). */
function hintsFor(service: Service, nodeName: string | undefined, zone: string | undefined): EndpointHints | undefined {
  const { trafficDistribution } = service.spec;
  // The annotation has precedence over the field.
  if (trafficDistribution === undefined || hasHints(service)) return undefined;
  const isPerNode = trafficDistribution === "PreferSameNode" && nodeName !== undefined;
  if (zone === undefined && !isPerNode) return undefined;
  return {
    ...(isPerNode && { forNodes: [{ name: nodeName }] }),
    ...(zone !== undefined && { forZones: [{ name: zone }] }),
  };
}

function endpointFor(service: Service, pod: Pod, node: Node | undefined): Endpoint {
  const serving = isReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const zone = node?.metadata.labels?.["topology.kubernetes.io/zone"];
  const ready = service.spec.publishNotReadyAddresses === true || (serving && !terminating);
  const hints = ready ? hintsFor(service, pod.spec.nodeName, zone) : undefined;
  const named = pod.spec.hostname && pod.spec.subdomain === service.metadata.name;
  return {
    addresses: [pod.status!.podIP!],
    conditions: { ready, serving, terminating },
    ...(named && { hostname: pod.spec.hostname }),
    nodeName: pod.spec.nodeName,
    zone,
    ...(hints && { hints }),
    targetRef: { kind: "Pod", namespace: pod.metadata.namespace, name: pod.metadata.name, uid: pod.metadata.uid },
  };
}

/** A pod with an address that is not finished. One that is being deleted is included, as terminating. */
const hasAddress = (p: Pod): boolean => Boolean(p.status?.podIP) && !isTerminal(p);

export function groupsOf(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): readonly Group[] {
  const chosen = pods.filter(
    (p) => hasAddress(p) && selects({ matchLabels: service.spec.selector ?? {} }, p.metadata.labels),
  );
  const groups = new Map<string, { ports: readonly DiscoveryV1EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of chosen.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const ports = portsFor(service, pod);
    const id = canonicalJson(ports);
    const group = groups.get(id) ?? { ports, endpoints: [] };
    groups.set(id, group);
    group.endpoints.push(endpointFor(service, pod, pod.spec.nodeName ? nodeOf(pod.spec.nodeName) : undefined));
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
}
