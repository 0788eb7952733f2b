// A rolling update of a daemon set: which old pods are deleted, and on which nodes a new pod starts beside an old one,
// so that no more nodes than allowed are without an available pod, or with two. Pure.
import { untilAvailable } from "../../api/core/pod/status.ts";
import type { DaemonSet, Pod } from "../../api/generated/types.ts";
import { share } from "../../api/int-or-percent.ts";
import type { Instant } from "../../api/meta.ts";
import { isUpdated } from "./pods.ts";

/** A node on which the set runs, or has pods. */
export interface DaemonNode {
  readonly name: string;
  /** The set creates a pod here. */
  readonly runs: boolean;
  /** The oldest first. */
  readonly pods: readonly Pod[];
}
export interface Bounds {
  readonly surge: number;
  readonly unavailable: number;
}
/** What an update does next. */
export interface RolloutStep {
  readonly deleted: readonly Pod[];
  readonly started: readonly string[];
}

/** How many nodes may have two pods, and how many none that is available. Both zero would never move. */
export function boundsOf({ spec: { updateStrategy } }: DaemonSet, desired: number): Bounds {
  const { maxSurge = 0, maxUnavailable = 1 } = updateStrategy?.rollingUpdate ?? {};
  const surge = share(maxSurge, desired, Math.ceil);
  const unavailable = share(maxUnavailable, desired, Math.ceil);
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/** The set, the hash of its present revision, and the time. */
export interface Look {
  readonly set: DaemonSet;
  readonly hash: string;
  readonly now: Instant;
}
export const isAvailable = ({ set, now }: Look, pod: Pod): boolean =>
  untilAvailable(pod, set.spec.minReadySeconds ?? 0, now) === 0;

/** The pods of a node that stay: at most one of the present revision and one of another; undefined for any more. */
function pairOn(look: Look, { pods }: DaemonNode) {
  const live = pods.filter((p) => p.metadata.deletionTimestamp === undefined);
  const [updated, old] = [true, false].map((is) => live.filter((p) => isUpdated(p, look.set, look.hash) === is));
  return updated!.length > 1 || old!.length > 1 ? undefined : { updated: updated![0], old: old![0] };
}

/** Deletes old pods: those that are not available, and others as far as the number of unavailable pods allows. */
function replace(look: Look, nodes: readonly DaemonNode[], maxUnavailable: number): RolloutStep {
  const [broken, candidates]: [Pod[], Pod[]] = [[], []];
  let unavailable = 0;
  for (const node of nodes) {
    const { updated, old } = pairOn(look, node) ?? {};
    const only = updated && old ? undefined : (updated ?? old);
    const isUp = only !== undefined && isAvailable(look, only);
    if (!isUp) unavailable++;
    if (only && only === old) (isUp ? candidates : broken).push(only);
  }
  const allowed = Math.max(0, maxUnavailable - unavailable);
  return { deleted: [...broken, ...candidates.slice(0, allowed)], started: [] };
}

/**
 * Starts new pods beside old ones as far as the surge allows, and deletes old pods whose new ones are available. Old
 * pods on nodes that the set does not run on any more go when as many pods are available as are desired.
 */
function surge(look: Look, nodes: readonly DaemonNode[], maxSurge: number): RolloutStep {
  const [deleted, leaving]: [Pod[], Pod[]] = [[], []];
  const [broken, candidates]: [string[], string[]] = [[], []];
  let [surging, available] = [0, 0];
  for (const node of nodes) {
    const pair = pairOn(look, node);
    if (pair === undefined) surging++;
    const { updated, old } = pair ?? {};
    const [isUpdatedUp, isOldUp] = [updated, old].map((pod) => pod !== undefined && isAvailable(look, pod));
    if (old ? isOldUp : isUpdatedUp) available++;
    if (old === undefined) continue;
    if (updated && isUpdatedUp) deleted.push(old);
    else if (updated) surging++;
    else if (node.runs) (isOldUp ? candidates : broken).push(node.name);
    else (isOldUp ? leaving : deleted).push(old);
  }
  const surplus = Math.max(0, available - nodes.filter(({ runs }) => runs).length);
  const started = [...broken, ...candidates.slice(0, Math.max(0, maxSurge - surging))];
  return { deleted: [...deleted, ...leaving.slice(0, surplus)], started };
}

/** The next step of a rolling update over all nodes that run the set or have its pods. */
export function rollOut(look: Look, all: readonly DaemonNode[]): RolloutStep {
  const nodes = all.filter(({ runs, pods }) => runs || pods.length > 0);
  const bounds = boundsOf(look.set, nodes.filter(({ runs }) => runs).length);
  return bounds.surge > 0 ? surge(look, nodes, bounds.surge) : replace(look, nodes, bounds.unavailable);
}
