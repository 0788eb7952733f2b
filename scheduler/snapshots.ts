// Snapshots of the cluster: as it is, and as it was at a position of the journal.
import { type Key, keyOf } from "../api/meta.ts";
import type { Snapshot } from "./framework.ts";
import { type Journal, valuesBefore } from "./journal.ts";
import { listerOver } from "./listers.ts";
import type { PodInfo } from "./node-info.ts";
import { type NodeList, nodeList } from "./node-list.ts";

type Nominated = Snapshot["nominated"];

export const snapshotOf = (
  list: NodeList,
  nominated: Nominated,
  lister: Snapshot["lister"],
  position: number,
): Snapshot => ({
  nodes: list.ordered(),
  byName: list.byName,
  bySlot: list.bySlot,
  slotsByName: list.slotsByName(),
  changes: list.changes,
  imageNodes: list.imageNodes,
  topology: list.topology,
  nominated,
  lister,
  position,
});

/** The cluster as it is. The journal knows nodes, pods and nominations by these very objects. */
interface Present {
  readonly nodes: NodeList;
  /** Pods of the view, and those that are assumed on nodes. */
  readonly pods: { readonly table: ReadonlyMap<Key, PodInfo>; readonly assumed: ReadonlyMap<Key, PodInfo> };
  readonly nominated: { readonly byNode: Nominated };
  readonly lister: Snapshot["lister"];
}

/** A copy of the cluster without what came after the position; undefined when that is not kept any more. */
export function pastSnapshot(
  journal: Journal,
  position: number,
  { nodes, pods: { table, assumed }, nominated, lister }: Present,
): Snapshot | undefined {
  const undo = journal.since(position);
  if (!undo) return undefined;
  const past = nodeList();
  const current = nodes.byName.values().map(({ name, node }) => [name, node] as const);
  for (const [name, node] of valuesBefore(nodes, current, undo)) past.set(name, node);
  for (const [, info] of valuesBefore(table, new Map([...assumed, ...table]), undo))
    if (info.pod.spec.nodeName !== undefined) past.addPod(info.pod.spec.nodeName, info);
  const objects = listerOver((kind) => {
    const all = lister(kind)
      .all()
      .map((object) => [keyOf(object), object] as const);
    return valuesBefore(kind, all, undo).values();
  });
  return snapshotOf(past, valuesBefore(nominated, nominated.byNode, undo), objects, position);
}
