// The cluster as the scheduler knows it: what the views show, and the bindings that they do not show yet. One change
// costs what it changes.
import { occupies } from "../api/core/pods.ts";
import type { Node, Pod } from "../api/generated/types.ts";
import { type Key, keyOf } from "../api/meta.ts";
import type { Snapshot } from "./framework.ts";
import type { Journal } from "./journal.ts";
import { listerOver } from "./listers.ts";
import { type PodInfo, podInfoOf } from "./node-info.ts";
import { nodeList } from "./node-list.ts";
import { nominations } from "./nominations.ts";
import { pastSnapshot, snapshotOf } from "./snapshots.ts";
import { groupMembers } from "./group-members.ts";

export interface SchedulerCache {
  /** Updates the cache from the pod view; `undefined` when the pod was deleted. */
  podSeen(key: Key, pod: Pod | undefined): void;
  nodeSeen(name: string, node: Node | undefined): void;
  /**
   * Counts the pod on the node before the view shows it there: otherwise the next pod would get the same room. Returns
   * what takes this back as if it had not been.
   */
  assume(pod: Pod, nodeName: string): () => void;
  /** The nodes as if these pods had left them, until what is returned is called. */
  without(pods: Iterable<PodInfo>): () => void;
  /** Expects the pod on a node before the view shows it; or not any more. */
  nominate(pod: Pod, nodeName: string | undefined): void;
  /** The pod with a nomination that the view does not show yet. */
  withNomination(pod: Pod): Pod;
  /** The binding failed. */
  forget(key: Key): void;
  /** Whether this pod is, not another one of its name. */
  isAssumed(pod: Pod): boolean;
  /** The pods of a pod group that have not ended. */
  membersOf(group: Key): ReadonlyMap<Key, Pod>;
  /** Whether the pod is on a node, or assumed to be. */
  hasNode(key: Key): boolean;
  snapshot(): Snapshot;
  /** The snapshot as it was at a position of the journal; undefined when that is not kept any more. */
  snapshotAt(position: number): Snapshot | undefined;
}

/** Estimates of what a replaced object keeps alive. */
const bytes = { pod: 4_096, node: 8_192, nomination: 100 };

/** A cluster of pods and nodes alone has no `lister`. Changes are recorded in the journal, if there is one. */
export function schedulerCache(lister: Snapshot["lister"] = listerOver(() => []), journal?: Journal): SchedulerCache {
  const nodes = nodeList();
  const seen = new Map<Key, PodInfo>();
  const assumed = new Map<Key, PodInfo>();
  const nominated = nominations((nodeName, before) => {
    journal?.record(nominated, nodeName, before, bytes.nomination);
    nodes.touch(nodeName);
  });
  const members = groupMembers();

  const effective = (key: Key): PodInfo | undefined => seen.get(key) ?? assumed.get(key);
  const change = (key: Key, edit: () => void): void => {
    const before = effective(key);
    edit();
    const after = effective(key);
    if (before !== after) journal?.record(seen, key, before, before ? bytes.pod : 0);
    const [from, to] = [before?.pod.spec.nodeName, after?.pod.spec.nodeName];
    if (from !== undefined && from !== to) nodes.removePod(from, key);
    if (to !== undefined) nodes.addPod(to, after!);
  };
  return {
    podSeen(key, pod) {
      nominated.seen(key, assumed.has(key) ? undefined : pod);
      members.seen(key, pod);
      change(key, () => {
        if (pod && occupies(pod)) seen.set(key, podInfoOf(pod));
        else seen.delete(key);
        // Bound or deleted in the view: the view is current. Unbound: the view is stale.
        if (pod === undefined || pod.spec.nodeName !== undefined) assumed.delete(key);
      });
    },
    nodeSeen(name, node) {
      const before = nodes.byName.get(name)?.node;
      journal?.record(nodes, name, before, before ? bytes.node : 0);
      nodes.set(name, node);
    },
    assume: (pod, nodeName) => {
      const key = keyOf(pod);
      const nominateAgain = nominated.suspend(pod);
      const info = podInfoOf({ ...pod, spec: { ...pod.spec, nodeName } });
      change(key, () => assumed.set(key, info));
      return () => {
        // Otherwise the view has shown its end or its binding meanwhile.
        if (assumed.get(key) !== info) return;
        change(key, () => assumed.delete(key));
        nominateAgain();
      };
    },
    without(pods) {
      const keys = [...pods].map(({ key, pod }) => {
        nodes.removePod(pod.spec.nodeName!, key);
        return key;
      });
      return () => {
        for (const key of keys) {
          const info = effective(key);
          if (info) nodes.addPod(info.pod.spec.nodeName!, info);
        }
      };
    },
    nominate: nominated.set,
    withNomination(pod) {
      const nominatedNodeName = nominated.nodeOf(keyOf(pod)) ?? pod.status?.nominatedNodeName;
      const isShown = nominatedNodeName === pod.status?.nominatedNodeName;
      return isShown ? pod : { ...pod, status: { ...pod.status, nominatedNodeName } };
    },
    forget: (key) => change(key, () => assumed.delete(key)),
    isAssumed(pod) {
      const info = assumed.get(keyOf(pod));
      return info !== undefined && info.pod.metadata.uid === pod.metadata.uid;
    },
    membersOf: members.of,
    hasNode: (key) => effective(key) !== undefined,
    snapshot: () => snapshotOf(nodes, nominated.byNode, lister, journal?.position ?? 0),
    snapshotAt: (position) =>
      journal && pastSnapshot(journal, position, { nodes, pods: { table: seen, assumed }, nominated, lister }),
  };
}
