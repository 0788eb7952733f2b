// The slices that mirror the Endpoints users write for services without a selector. Pure.
import type {
  Endpoint,
  EndpointAddress,
  Endpoints,
  EndpointSlice,
  EndpointSubset,
  Service,
} from "../../api/generated/types.ts";
import { childName, sameJson } from "../../api/hash.ts";
import { endpointSlices, managedByLabel, serviceLabel } from "../../api/discovery/endpointslices.ts";
import { ownedBy, type Draft } from "../../api/meta.ts";
import type { Action } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";

export interface Observed {
  readonly endpoints: Endpoints;
  /** The service of that name. */
  readonly service: Service | undefined;
  /** Slices of this service that we manage. */
  readonly slices: readonly EndpointSlice[];
}

export const manager = "endpointslicemirroring-controller.k8s.io";
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
      ...(annotations.length > 0 && { annotations: Object.fromEntries(annotations) }),
      ownerReferences: [ownedBy(endpoints)],
    },
    ...content,
  };
}

/** The address family of a slice is immutable: one of another family is deleted, and created at the next look. */
function written(draft: Draft<EndpointSlice>, now: EndpointSlice | undefined): readonly Action[] {
  if (now === undefined) return [{ do: "create", resource: endpointSlices, draft }];
  if (now.addressType !== draft.addressType) return [{ do: "delete", resource: endpointSlices, object: now }];
  const { labels, annotations } = draft.metadata;
  const { annotations: _, ...metadata } = now.metadata;
  const next = {
    ...now,
    metadata: { ...metadata, labels, ...(annotations && { annotations }) },
    endpoints: draft.endpoints,
    ports: draft.ports,
  };
  return sameJson(next, now) ? [] : [{ do: "update", resource: endpointSlices, object: next }];
}

export function decide(observed: Observed): Decision {
  const { endpoints, slices } = observed;
  const contents = isMirrored(observed) ? (endpoints.subsets ?? []).flatMap(contentsOf) : [];
  const drafts = contents.map((content, slot) => draftOf(endpoints, slot, content));
  const existing = new Map(slices.map((s) => [s.metadata.name, s]));
  const names = new Set(drafts.map((d) => d.metadata.name));
  const surplus = slices.filter((s) => !names.has(s.metadata.name));
  return {
    actions: [
      ...drafts.flatMap((draft) => written(draft, existing.get(draft.metadata.name!))),
      ...surplus.map((object) => ({ do: "delete", resource: endpointSlices, object }) as const),
    ],
  };
}
