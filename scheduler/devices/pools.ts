// Pools of devices as one node sees them: the newest generation of each, complete or not, and which of its devices the
// node has access to. Source: the API reference of ResourceSlice; KEP-4381, KEP-4815 (partitionable devices).
import { labelledNode, termMatcher } from "../../api/core/pod/node-affinity.ts";
import type { Counter, Device, Node, NodeSelector, ResourceSlice } from "../../api/generated/types.ts";

/** A device of a pool. */
export interface PoolDevice {
  readonly id: string;
  readonly driver: string;
  readonly device: Device;
  readonly slice: ResourceSlice;
  readonly pool: Pool;
}
export interface Pool {
  /** `driver/name`. */
  readonly id: string;
  /** Slices are missing: the driver is about to publish them. */
  readonly isIncomplete: boolean;
  /** Why nothing of it can be allocated. */
  readonly problem?: string;
  /** Those that the node may have access to, in the order in which they are tried. */
  readonly devices: readonly PoolDevice[];
  /** Devices of slices for other nodes: they too consume counters. */
  readonly elsewhere: readonly PoolDevice[];
  /** Counters by the name of their set. */
  readonly counterSets: ReadonlyMap<string, Readonly<Record<string, Counter>>>;
}

/** Names a device among all. */
export const idOf = (driver: string, pool: string, device: string): string => `${driver}/${pool}/${device}`;
const poolIdOf = ({ spec }: ResourceSlice): string => `${spec.driver}/${spec.pool.name}`;

/** All slices, by the nodes they are for and by pool. */
export interface SliceIndex {
  readonly byNode: ReadonlyMap<string, readonly ResourceSlice[]>;
  readonly shared: readonly ResourceSlice[];
  readonly byPool: ReadonlyMap<string, readonly ResourceSlice[]>;
}

const isShared = ({ spec }: ResourceSlice): boolean => !spec.nodeName || (spec.sharedCounters?.length ?? 0) > 0;

export const sliceIndex = (slices: readonly ResourceSlice[]): SliceIndex => ({
  byNode: Map.groupBy(
    slices.filter((slice) => !isShared(slice)),
    ({ spec }) => spec.nodeName!,
  ),
  shared: slices.filter(isShared),
  byPool: Map.groupBy(slices, poolIdOf),
});

interface Place {
  readonly nodeName?: string;
  readonly nodeSelector?: NodeSelector;
  readonly allNodes?: boolean;
}
const isPlaced = ({ nodeName, nodeSelector, allNodes }: Place): boolean =>
  Boolean(nodeName || allNodes || nodeSelector);

/** Whether the node is among those that have access. */
function includesNode({ nodeName, nodeSelector, allNodes }: Place, node: Node): boolean {
  if (nodeName) return node.metadata.name === nodeName;
  if (allNodes) return true;
  return nodeSelector?.nodeSelectorTerms.some((term) => termMatcher(term)(labelledNode(node))) === true;
}

/** Devices may each have nodes of their own. */
export const isAccessible = ({ slice, device }: PoolDevice, node: Node): boolean =>
  slice.spec.perDeviceNodeSelection !== true || includesNode(device, node);

/** Whether the node has access to a device of a slice. */
export const isForNode = ({ spec }: ResourceSlice, device: Device, node: Node): boolean =>
  includesNode(spec.perDeviceNodeSelection === true ? device : spec, node);

function isRelevant({ spec }: ResourceSlice, node: Node): boolean {
  // Counters are needed whichever node the devices are for.
  if ((spec.sharedCounters?.length ?? 0) > 0) return true;
  if (isPlaced(spec)) return includesNode(spec, node);
  return spec.perDeviceNodeSelection === true && (spec.devices ?? []).some((device) => includesNode(device, node));
}

const byName = (a: ResourceSlice, b: ResourceSlice): number => (a.metadata.name < b.metadata.name ? -1 : 1);

/** The first name that occurs twice. */
function repeatedName(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}

function problemOf(slices: readonly ResourceSlice[], others: readonly ResourceSlice[]): string | undefined {
  const device = repeatedName(slices.flatMap(({ spec }) => (spec.devices ?? []).map(({ name }) => name)));
  if (device !== undefined) return `duplicate device name ${device}`;
  const sets = slices.flatMap(({ spec }) => spec.sharedCounters ?? []);
  const set = repeatedName(sets.map(({ name }) => name));
  if (set !== undefined) return `duplicate counter set name ${set}`;
  for (const { spec } of [...slices, ...others])
    for (const { consumesCounters = [] } of spec.devices ?? [])
      for (const { counterSet, counters } of consumesCounters) {
        const known = sets.find(({ name }) => name === counterSet);
        if (!known) return `counter set ${counterSet} not found`;
        const missing = Object.keys(counters).find((name) => !(name in known.counters));
        if (missing !== undefined) return `counter ${missing} not found in counter set ${counterSet}`;
      }
  return undefined;
}

function poolOf(id: string, slices: readonly ResourceSlice[], others: readonly ResourceSlice[]): Pool {
  const problem = problemOf(slices, others);
  const devices: PoolDevice[] = [];
  const elsewhere: PoolDevice[] = [];
  const sets = slices.flatMap(({ spec }) => spec.sharedCounters ?? []);
  const counterSets = new Map(sets.map(({ name, counters }) => [name, counters]));
  const pool: Pool = {
    ...{ id, isIncomplete: false, devices, elsewhere, counterSets },
    ...(problem !== undefined && { problem }),
  };
  const add = (to: PoolDevice[], { spec }: ResourceSlice, slice: ResourceSlice): void => {
    for (const device of spec.devices ?? [])
      to.push({ id: idOf(spec.driver, spec.pool.name, device.name), driver: spec.driver, device, slice, pool });
  };
  for (const slice of slices.toSorted(byName)) add(devices, slice, slice);
  for (const slice of others) add(elsewhere, slice, slice);
  return pool;
}

const incomplete = (id: string): Pool => ({
  ...{ id, isIncomplete: true, devices: [], elsewhere: [], counterSets: new Map() },
});

/** The pool that these slices, of the newest generation the node sees, belong to; nothing when it is being replaced. */
function poolFrom(id: string, slices: readonly ResourceSlice[], { byPool }: SliceIndex): Pool | undefined {
  const { generation, resourceSliceCount } = slices[0]!.spec.pool;
  if (slices.length === resourceSliceCount) return poolOf(id, slices, []);
  const all = byPool.get(id) ?? [];
  if (all.some(({ spec }) => spec.pool.generation > generation)) return undefined;
  const current = all.filter(({ spec }) => spec.pool.generation === generation);
  if (current.length !== resourceSliceCount) return incomplete(id);
  return poolOf(
    id,
    slices,
    current.filter((slice) => !slices.includes(slice)),
  );
}

const isBoundLater = ({ devices }: Pool): boolean =>
  devices.some(({ device }) => device.bindingConditions !== undefined);
const before = (a: Pool, b: Pool): number =>
  Number(isBoundLater(a)) - Number(isBoundLater(b)) || (a.id < b.id ? -1 : 1);

/** The pools with devices for a node, in the order in which they are tried: those that need preparation last. */
export function poolsOn(node: Node, index: SliceIndex): readonly Pool[] {
  const newest = new Map<string, ResourceSlice[]>();
  for (const slice of [...(index.byNode.get(node.metadata.name) ?? []), ...index.shared]) {
    if (!isRelevant(slice, node)) continue;
    const id = poolIdOf(slice);
    const known = newest.get(id);
    const order = known ? slice.spec.pool.generation - known[0]!.spec.pool.generation : 1;
    if (order > 0) newest.set(id, [slice]);
    else if (order === 0) known!.push(slice);
  }
  return [...newest].flatMap(([id, slices]) => poolFrom(id, slices, index) ?? []).toSorted(before);
}
