// The slices and the Endpoints object a service should have. Pure.
import type {
  Endpoint,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Node,
  Pod,
  Service,
} from "../../api/generated/types.ts";
import { childName } from "../../api/hash.ts";
import { endpoints as endpointsKind } from "../../api/core/endpoints.ts";
import { managedByLabel, serviceLabel } from "../../api/discovery/endpointslices.ts";
import { isHeadless } from "../../api/core/services.ts";
import { ownedBy, type Draft } from "../../api/meta.ts";
import { type Action, recordEvent, updateTo } from "../../machinery/action.ts";
import { settled, type Decision } from "../../machinery/controller.ts";
import { groupsOf, type Group } from "./addresses.ts";
import { sliceActions } from "./slices.ts";
import { hasHints, type CpuRatios, withHints } from "./topology.ts";

export interface Observed {
  /** Undefined when it was deleted: its Endpoints remain, for they have no owner. */
  readonly service: Service | undefined;
  readonly pods: readonly Pod[];
  readonly nodeOf: (name: string) => Node | undefined;
  /** Slices of this service that we manage. */
  readonly slices: readonly EndpointSlice[];
  readonly endpoints: Endpoints | undefined;
  /** The processors in each zone, for a service that asks for topology hints. */
  readonly cpuRatios?: CpuRatios | undefined;
}

export const manager = "endpointslice-controller.k8s.io";
const endpointsManagedBy = "endpoints.kubernetes.io/managed-by";
const endpointsManager = "endpoint-controller";
const headlessLabel = "service.kubernetes.io/headless";
/** Addresses in one slice. Kubernetes: 100. */
const sliceSize = 100;
/** Addresses in an Endpoints object. Kubernetes: 1,000; slices have no such limit. */
const mostAddresses = 1_000;

const pages = (group: Group): readonly Group[] =>
  Array.from({ length: Math.ceil(group.endpoints.length / sliceSize) }, (_, i) => ({
    ports: group.ports,
    endpoints: group.endpoints.slice(i * sliceSize, (i + 1) * sliceSize),
  }));

const labelsOf = (service: Service): Readonly<Record<string, string>> => ({
  ...service.metadata.labels,
  ...(isHeadless(service) && { [headlessLabel]: "" }),
});

function sliceFor(service: Service, slot: number, page: Group): Draft<EndpointSlice> {
  const { name, namespace } = service.metadata;
  const labels = { ...labelsOf(service), [serviceLabel]: name, [managedByLabel]: manager };
  const ownerReferences = [ownedBy(service)];
  const metadata = { name: childName(service.metadata, slot, 0), namespace, labels, ownerReferences };
  return { kind: "EndpointSlice", metadata, addressType: "IPv4", ...page };
}

type WithService = Observed & { readonly service: Service };
function slicesActions({ service, slices, cpuRatios }: WithService, groups: readonly Group[]): readonly Action[] {
  const desired = groups.flatMap(pages);
  // A service without endpoints has one empty slice, as in Kubernetes.
  const pagesOf = desired.length > 0 ? desired : [{ ports: [], endpoints: [] }];
  const plain = pagesOf.map((page, slot) => sliceFor(service, slot, page));
  const { drafts, problem } = hasHints(service) ? withHints(plain, slices, cpuRatios) : { drafts: plain };
  return [...sliceActions(drafts, slices), ...hintEvents(service, slices, problem)];
}

const isHinted = ({ endpoints }: EndpointSlice): boolean => endpoints?.some(({ hints }) => hints?.forZones) === true;
/** Events about hints that appear, disappear, or are not possible. */
function hintEvents(
  service: Service,
  slices: readonly EndpointSlice[],
  problem: string | undefined,
): readonly Action[] {
  const hadHints = slices.some(isHinted);
  const event = (type: "Normal" | "Warning", reason: string, message: string): readonly Action[] => [
    recordEvent(service, type, `TopologyAwareHints${reason}`, `${message}, addressType: IPv4`),
  ];
  if (problem) return event("Warning", "Disabled", problem);
  if (hasHints(service)) return hadHints ? [] : event("Normal", "Enabled", "Topology Aware Hints has been enabled");
  // Hints for zones can also be those of the traffic distribution.
  const isDisabled = hadHints && service.spec.trafficDistribution === undefined;
  return isDisabled ? event("Warning", "Disabled", "Topology Aware Hints has been disabled") : [];
}

const addressOf = ({ addresses: [ip], nodeName, hostname, targetRef }: Endpoint) => ({
  ...{ ip: ip!, nodeName, hostname, targetRef },
});

function subsetOf({ ports, endpoints }: Group): EndpointSubset {
  const staying = endpoints.filter((e) => e.conditions?.terminating !== true).slice(0, mostAddresses);
  const [ready, notReady] = [true, false].map((is) =>
    staying.filter((e) => (e.conditions?.ready === true) === is).map(addressOf),
  );
  return {
    ...(ready!.length > 0 && { addresses: ready }),
    ...(notReady!.length > 0 && { notReadyAddresses: notReady }),
    ...(ports.length > 0 && {
      ports: ports.map((p) => ({ ...(p.name && { name: p.name }), port: p.port!, protocol: p.protocol })),
    }),
  };
}

function endpointsActions({ service, endpoints }: WithService, groups: readonly Group[]): readonly Action[] {
  const filled = groups.map(subsetOf).filter((s) => s.addresses !== undefined || s.notReadyAddresses !== undefined);
  const subsets = filled.length > 0 ? filled : undefined;
  const labels = { ...labelsOf(service), [endpointsManagedBy]: endpointsManager };
  const { name, namespace } = service.metadata;
  if (endpoints === undefined) {
    const draft: Draft<Endpoints> = { kind: "Endpoints", metadata: { name, namespace, labels }, subsets };
    return [{ do: "create", resource: endpointsKind, draft }];
  }
  return updateTo(endpointsKind, endpoints, { ...endpoints, metadata: { ...endpoints.metadata, labels }, subsets });
}

/** Endpoints of a deleted service, where this controller wrote them. Its slices are garbage collected. */
const orphanedEndpoints = (endpoints: Endpoints | undefined): readonly Action[] =>
  endpoints?.metadata.labels?.[endpointsManagedBy] === endpointsManager
    ? [{ do: "delete", resource: endpointsKind, object: endpoints }]
    : [];

export function decide(observed: Observed): Decision {
  const { service, pods, nodeOf, endpoints } = observed;
  if (service === undefined) return { actions: orphanedEndpoints(endpoints) };
  // Without a selector users write the addresses; an external name has none.
  if (
    service.spec.selector === undefined ||
    service.spec.type === "ExternalName" ||
    service.metadata.deletionTimestamp !== undefined
  )
    return settled;
  const groups = groupsOf(service, pods, nodeOf);
  const withService = { ...observed, service };
  return { actions: [...slicesActions(withService, groups), ...endpointsActions(withService, groups)] };
}
