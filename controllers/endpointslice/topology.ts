// Topology hints: allocates the endpoints of a service to zones in proportion to the processors of their nodes, so that
// traffic stays in its zone. Where that would overload endpoints, there are no hints. Pure. Source: KEP-2433.
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Endpoint, EndpointSlice, Node, Service } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import type { Draft } from "../../api/meta.ts";
import { milliOf } from "../../api/quantity.ts";

/** The annotation, and the one before it, which is still read first. */
const annotations = ["service.kubernetes.io/topology-aware-hints", "service.kubernetes.io/topology-mode"];
/** By how much more than its ratio an endpoint may have to serve. */
const overloadThreshold = 0.2;

/** Whether a service asks for hints by its annotation. */
export function hasHints({ metadata }: Service): boolean {
  const mode = annotations.map((name) => metadata.annotations?.[name]).find((value) => value !== undefined);
  return mode === "Auto" || mode === "auto";
}

const excluded = ["control-plane", "master"].map((role) => `node-role.kubernetes.io/${role}`);
/** The nodes that serve: ready ones, other than control planes. */
const isServing = ({ metadata, status }: Node): boolean =>
  !excluded.some((label) => metadata.labels?.[label] !== undefined) &&
  conditionOf(status?.conditions, "Ready")?.status === "True";

/** The part of all processors in each zone. */
export type CpuRatios = ReadonlyMap<string, number>;

/** Undefined where a node has no zone or no processors, or where there is one zone only. */
export function cpuRatiosByZone(nodes: readonly Node[]): CpuRatios | undefined {
  const serving = nodes.filter(isServing).map(({ metadata, status }) => ({
    zone: metadata.labels?.["topology.kubernetes.io/zone"] ?? "",
    milli: milliOf(status?.allocatable?.["cpu"]),
  }));
  if (serving.some(({ zone, milli }) => zone === "" || milli === 0)) return undefined;
  const total = serving.reduce((sum, { milli }) => sum + milli, 0);
  const zones = [...Map.groupBy(serving, ({ zone }) => zone)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (zones.length < 2) return undefined;
  return new Map(zones.map(([zone, of]) => [zone, of.reduce((sum, { milli }) => sum + milli, 0) / total]));
}

interface Allocation {
  readonly desired: number;
  readonly maximum: number;
}
type Allocations = ReadonlyMap<string, Allocation>;

/** Endpoints for each zone; why not, where some endpoint would be overloaded. */
function allocationsOf(count: number, cpuRatios: CpuRatios | undefined): Allocations | string {
  if (!cpuRatios) return "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes";
  const sizes = `(${count} endpoints, ${cpuRatios.size} zones)`;
  if (cpuRatios.size > count) return `Insufficient number of endpoints ${sizes}`;
  const least = (ratio: number): number => Math.ceil((count * ratio) / (1 + overloadThreshold));
  const spare = count - [...cpuRatios.values()].reduce((sum, ratio) => sum + least(ratio), 0);
  if (spare < 0)
    return `Unable to allocate minimum required endpoints to each zone without exceeding overload threshold ${sizes}`;
  return new Map(
    [...cpuRatios].map(([zone, ratio]) => {
      const minimum = least(ratio);
      return [zone, { desired: Math.max(count * ratio, minimum), maximum: minimum + spare }];
    }),
  );
}

type Counts = Map<string, number>;
const add = (counts: Counts, zone: string, by = 1): void => void counts.set(zone, (counts.get(zone) ?? 0) + by);
const isReady = ({ conditions }: Endpoint): boolean => conditions?.ready === true;
const without = ({ hints: _, ...endpoint }: Endpoint): Endpoint => endpoint;
const withZone = (endpoint: Endpoint, name: string): Endpoint => ({ ...endpoint, hints: { forZones: [{ name }] } });

/** The hints of a slice by zone; undefined when they will not do beside those allocated already. */
function usableHints(slice: EndpointSlice, allocated: Counts, allocations: Allocations): Counts | undefined {
  const counts: Counts = new Map();
  for (const { hints } of (slice.endpoints ?? []).filter(isReady)) {
    if (!hints?.forZones?.length) return undefined;
    for (const { name } of hints.forZones) add(counts, name);
  }
  const fits = [...counts].every(
    ([zone, n]) => n + (allocated.get(zone) ?? 0) <= (allocations.get(zone)?.maximum ?? -1),
  );
  return fits ? counts : undefined;
}

/** The zone that has the most to give or to receive. */
const most = (zones: Counts): readonly [zone: string, amount: number] =>
  [...zones].reduce<readonly [string, number]>((best, [zone, n]) => (n > best[1] ? [zone, n] : best), ["", 0]);

/** How many endpoints each zone gives to others, and receives from others. */
function transfers(allocations: Allocations, allocated: Counts): { readonly gives: Counts; readonly receives: Counts } {
  const [surplus, lack, gives, receives]: readonly Counts[] = [new Map(), new Map(), new Map(), new Map()];
  for (const [zone, { desired }] of allocations) {
    const excess = (allocated.get(zone) ?? 0) - desired;
    if (excess > 0) add(surplus!, zone, excess);
    if (excess < 0) add(lack!, zone, -excess);
  }
  for (;;) {
    const [[giver, toGive], [receiver, toReceive]] = [most(surplus!), most(lack!)];
    if (Math.max(toGive, toReceive) < 1 || Math.min(toGive, toReceive) < 0.5)
      return { gives: gives!, receives: receives! };
    for (const [counts, zone, by] of [
      [gives!, giver, 1],
      [surplus!, giver, -1],
      [receives!, receiver, 1],
      [lack!, receiver, -1],
    ] as const)
      add(counts, zone, by);
  }
}

/** Moves hints from zones with too many endpoints to zones with too few. */
function redistributed(endpoints: readonly Endpoint[], { gives, receives }: ReturnType<typeof transfers>): Endpoint[] {
  return endpoints.map((endpoint) => {
    const receiver = [...receives].find(([, n]) => n > 0)?.[0];
    if (!isReady(endpoint) || receiver === undefined || !((gives.get(endpoint.zone!) ?? 0) > 0)) return endpoint;
    add(gives, endpoint.zone!, -1);
    add(receives, receiver, -1);
    return withZone(endpoint, receiver);
  });
}

type Drafts = readonly Draft<EndpointSlice>[];
interface Hinted {
  readonly drafts: Drafts;
  /** Why there are no hints. */
  readonly problem?: string;
}
const bare = (drafts: Drafts): Drafts =>
  drafts.map((draft) => ({ ...draft, endpoints: (draft.endpoints ?? []).map(without) }));

/** Whether a slice differs from a draft by its hints at most. */
const isUnchanged = (slice: EndpointSlice, draft: Draft<EndpointSlice>): boolean =>
  sameJson((slice.endpoints ?? []).map(without), (draft.endpoints ?? []).map(without)) &&
  sameJson(slice.ports, draft.ports);

/** The slices of a service with hints for their endpoints. Hints of existing slices that will do are kept. */
export function withHints(drafts: Drafts, slices: readonly EndpointSlice[], cpuRatios: CpuRatios | undefined): Hinted {
  const ready = drafts.flatMap(({ endpoints = [] }) => endpoints.filter(isReady));
  const allocations = allocationsOf(ready.length, cpuRatios);
  if (typeof allocations === "string") return { drafts: bare(drafts), problem: allocations };
  if (ready.some(({ zone }) => !zone))
    return { drafts: bare(drafts), problem: "One or more endpoints do not have a zone specified" };
  const allocated: Counts = new Map();
  const keptEndpoints = new Map<Draft<EndpointSlice>, readonly Endpoint[]>();
  for (const draft of drafts) {
    const slice = slices.find(({ metadata }) => metadata.name === draft.metadata.name);
    const counts = slice && isUnchanged(slice, draft) ? usableHints(slice, allocated, allocations) : undefined;
    if (!counts) continue;
    for (const [zone, n] of counts) add(allocated, zone, n);
    keptEndpoints.set(draft, slice!.endpoints ?? []);
  }
  const open = drafts.filter((draft) => !keptEndpoints.has(draft));
  for (const { endpoints = [] } of open) for (const { zone } of endpoints.filter(isReady)) add(allocated, zone!);
  const moves = transfers(allocations, allocated);
  return {
    drafts: drafts.map((draft) => {
      const own = (draft.endpoints ?? []).map((e) => (isReady(e) ? withZone(e, e.zone!) : without(e)));
      return { ...draft, endpoints: keptEndpoints.get(draft) ?? redistributed(own, moves) };
    }),
  };
}
