// EndpointSlices that mirror Endpoints which users write for services without a selector.
import type {
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Service,
} from "../../api/generated/types.ts";
import { endpoints as endpointsKind } from "../../api/core/endpoints.ts";
import { services } from "../../api/core/services.ts";
import { endpointSlices, managedByLabel, serviceLabel } from "../../api/discovery/endpointslices.ts";
import { childName } from "../../api/hash.ts";
import { ownedBy, type Draft } from "../../api/meta.ts";
import { controller, type Decision, itself, watch } from "../../machinery/controller.ts";
import { sliceActions, slicesOf, sliceVerbs, watchSlices } from "./slices.ts";

interface Observed {
  readonly endpoints: Endpoints;
  /** The service of that name. */
  readonly service: Service | undefined;
  /** Slices of this service that we manage. */
  readonly slices: readonly EndpointSlice[];
}

const manager = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
/** Annotations about the Endpoints object itself, which are not mirrored. */
const ownAnnotations = [
  "endpoints.kubernetes.io/last-change-trigger-time",
  "kubectl.kubernetes.io/last-applied-configuration",
];
/** Addresses mirrored of one subset. Kubernetes: 1,000. */
const mostAddresses = 1_000;

/** Endpoints used as leader election locks have no addresses to mirror. */
function isMirrored({ endpoints: { metadata }, service }: Observed): boolean {
  const isEnabled = metadata.labels?.[skipLabel] !== "true" && metadata.annotations?.[leaderAnnotation] === undefined;
  return isEnabled && metadata.deletionTimestamp === undefined && service !== undefined && !service.spec.selector;
}

const endpointOf = ({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint => ({
  addresses: [ip],
  conditions: { ready },
  ...(hostname && { hostname }),
  ...(nodeName && { nodeName }),
  ...(targetRef && { targetRef }),
});

type Content = Pick<EndpointSlice, "addressType" | "endpoints" | "ports">;
/** One content per address family, which a slice cannot mix. */
function contentsOf({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): readonly Content[] {
  const endpoints = [
    ...addresses.map((a) => endpointOf(a, true)),
    ...notReadyAddresses.map((a) => endpointOf(a, false)),
  ].slice(0, mostAddresses);
  const families = Map.groupBy(endpoints, (e) => (e.addresses[0]!.includes(":") ? "IPv6" : "IPv4"));
  const own = ports.map((p) => ({ ...p, name: p.name ?? "", protocol: p.protocol ?? "TCP" }));
  return [...families].map(([addressType, of]) => ({ addressType, endpoints: of, ports: own }));
}

function draftOf(endpoints: Endpoints, slot: number, content: Content): Draft<EndpointSlice> {
  const { metadata } = endpoints;
  const annotations = Object.entries(metadata.annotations ?? {}).filter(([name]) => !ownAnnotations.includes(name));
  return {
    kind: "EndpointSlice",
    metadata: {
      name: childName(metadata, slot, 0),
      namespace: metadata.namespace,
      labels: { ...metadata.labels, [serviceLabel]: metadata.name, [managedByLabel]: manager },
      annotations: annotations.length > 0 ? Object.fromEntries(annotations) : undefined,
      ownerReferences: [ownedBy(endpoints)],
    },
    ...content,
  };
}

export function decide(observed: Observed): Decision {
  const { endpoints, slices } = observed;
  const contents = isMirrored(observed) ? (endpoints.subsets ?? []).flatMap(contentsOf) : [];
  const drafts = contents.map((content, slot) => draftOf(endpoints, slot, content));
  return { actions: sliceActions(drafts, slices) };
}

export const endpointSliceMirroringController = controller({
  name: "endpointslicemirroring",
  reconciles: endpointsKind,
  watches: [watch(services, itself), watchSlices(manager)],
  writes: [{ kind: endpointSlices, verbs: sliceVerbs }],
  // Slices whose Endpoints are gone are garbage collected: the Endpoints own them.
  observe(views, k) {
    const endpoints = views.of(endpointsKind).get(k);
    return endpoints && { endpoints, service: views.of(services).get(k), slices: slicesOf(views, k, manager) };
  },
  decide,
});
