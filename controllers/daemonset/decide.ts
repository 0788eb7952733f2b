// The next step of a daemon set: one pod on every node that it runs on, none on others, and pods of an old template
// replaced node by node. Pure.
import { daemonSets } from "../../api/apps/daemonsets.ts";
import { isReady, untilAvailable } from "../../api/core/pod/status.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import type { DaemonSet, DaemonSetStatus, Node, Pod } from "../../api/generated/types.ts";
import { type Instant, keyOf } from "../../api/meta.ts";
import { type Action, recordEvent, statusTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";
import {
  expireRevisions,
  type ObservedRevisions,
  revisionHistory,
  type RevisionOwner,
} from "../../machinery/revision-history.ts";
import { claim } from "../../machinery/selector-index.ts";
import { type Eligibility, eligibilityOf } from "./eligibility.ts";
import { createOn, deletePods, hashLabel, isUpdated, type Naming, podsByNode } from "./pods.ts";
import { boundsOf, type DaemonNode, isAvailable, type Look, rollOut } from "./rollout.ts";

/** Failed pods of a set that were deleted from a node, and when the last one was. */
export interface Failures {
  readonly count: number;
  readonly at: Instant;
}
export interface Observed extends ObservedRevisions, Naming {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Pods it controls, and uncontrolled ones that its selector picks. */
  readonly pods: readonly Pod[];
  readonly failuresOn: (node: string) => Failures | undefined;
}

const firstBackoffMs = 1_000;
const longestBackoffMs = 15 * 60_000;
/** When a failed pod may be deleted again. Failures that are long past do not count. */
function retryAt({ count, at }: Failures, now: Instant): number {
  if (now - at > 2 * longestBackoffMs) return now;
  return at + Math.min(longestBackoffMs, firstBackoffMs * 2 ** (count - 1));
}
/** A failure more; the count begins anew when the last one is long past. */
export const failureMore = (before: Failures | undefined, now: Instant): Failures => ({
  count: before && now - before.at <= 2 * longestBackoffMs ? before.count + 1 : 1,
  at: now,
});

/** A node, and whether pods that are there stay. */
interface Place extends DaemonNode, Eligibility {}

const isLeaving = (p: Pod): boolean => p.metadata.deletionTimestamp !== undefined;
const phaseOf = (p: Pod): string | undefined => p.status?.phase;

/** What is done about a single node. */
interface Managed {
  readonly created?: string;
  readonly deleted: readonly Pod[];
  readonly events: readonly Action[];
  /** Until a failed pod may be deleted. */
  readonly waitMs?: number;
}

/** Of several running pods the oldest stays; during a surge, the oldest of each revision. */
function surplus(look: Look, running: readonly Pod[], surges: boolean): readonly Pod[] {
  if (!surges || running.length <= 1) return running.slice(1);
  const updated = running.find((p) => isUpdated(p, look.set, look.hash));
  const old = running.find((p) => !isUpdated(p, look.set, look.hash));
  const rest = running.filter((p) => p !== updated && p !== old);
  const isReplaced = old && updated && (!isReady(old) || isAvailable(look, updated));
  return isReplaced ? [...rest, old] : rest;
}

/** Creates a pod where there is none, and deletes those that have ended or are too many. */
function manage(look: Look, place: Place, failures: Failures | undefined, surges: boolean): Managed {
  const { name, pods } = place;
  if (place.runs && pods.length === 0) return { created: name, deleted: [], events: [] };
  const live = pods.filter((p) => !isLeaving(p));
  if (!place.stays) return { deleted: live, events: [] };
  const [failed, succeeded] = ["Failed", "Succeeded"].map((phase) => live.filter((p) => phaseOf(p) === phase));
  const running = live.filter((p) => !failed!.includes(p) && !succeeded!.includes(p));
  const waitMs = failures === undefined ? 0 : Math.max(0, retryAt(failures, look.now) - look.now);
  const retried = waitMs > 0 ? [] : failed!;
  const found = (p: Pod, what: string): string => `Found ${what} daemon pod ${keyOf(p)} on node ${name}, will try to`;
  return {
    deleted: [...retried, ...succeeded!, ...surplus(look, running, surges)],
    events: [
      ...retried.map((p) => recordEvent(look.set, "Warning", "FailedDaemonPod", `${found(p, "failed")} kill it`)),
      ...succeeded!.map((p) =>
        recordEvent(look.set, "Normal", "SucceededDaemonPod", `${found(p, "succeeded")} delete it`),
      ),
    ],
    ...(failed!.length > 0 && waitMs > 0 && { waitMs }),
  };
}

/** Kubernetes leaves zero counts out, except some. */
const orAbsent = (n: number): number | undefined => (n > 0 ? n : undefined);

function statusOf(look: Look, places: readonly Place[]): DaemonSetStatus {
  const running = places.filter(({ runs }) => runs);
  const oldest = running.flatMap(({ pods }) => pods[0] ?? []);
  const available = oldest.filter((p) => isAvailable(look, p)).length;
  return {
    ...look.set.status,
    observedGeneration: look.set.metadata.generation,
    desiredNumberScheduled: running.length,
    currentNumberScheduled: oldest.length,
    numberMisscheduled: places.filter(({ runs, pods }) => !runs && pods.length > 0).length,
    numberReady: oldest.filter(isReady).length,
    updatedNumberScheduled: orAbsent(oldest.filter((p) => isUpdated(p, look.set, look.hash)).length),
    numberAvailable: orAbsent(available),
    numberUnavailable: orAbsent(running.length - available),
  };
}

/** Every node with its pods, in the order of names; then pods that wait for a node that does not exist. */
function placesOf({ set, nodes }: Observed, owned: readonly Pod[]) {
  const eligibility = eligibilityOf(set);
  const byNode = podsByNode(owned);
  const known = new Set(nodes.map(({ metadata }) => metadata.name));
  const places = nodes
    .map(
      (node): Place => ({ name: node.metadata.name, pods: byNode.get(node.metadata.name) ?? [], ...eligibility(node) }),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const strays = [...byNode].flatMap(([name, pods]) =>
    known.has(name) ? [] : pods.filter((p) => !p.spec.nodeName && !isLeaving(p)),
  );
  return { places, strays };
}

/** Nodes are set right first; only when none needs anything, the update goes on. */
function steps(look: Look, { places, strays }: ReturnType<typeof placesOf>, observed: Observed) {
  const { set, hash } = look;
  const isRolling = set.spec.updateStrategy?.type === "RollingUpdate";
  const surges = isRolling && boundsOf(set, places.filter(({ runs }) => runs).length).surge > 0;
  const managed = places.map((place) => manage(look, place, observed.failuresOn(place.name), surges));
  const created = managed.flatMap(({ created: node }) => node ?? []);
  const deleted = [...managed.flatMap((m) => m.deleted), ...strays];
  const waits = managed.flatMap(({ waitMs }) => waitMs ?? []);
  const isSettled = created.length + deleted.length === 0;
  const rollout = isSettled && isRolling ? rollOut(look, places) : { deleted: [], started: [] };
  return {
    waits,
    actions: [
      ...managed.flatMap(({ events }) => events),
      ...createOn(set, [...created, ...rollout.started], hash, observed),
      ...deletePods(set, [...deleted, ...rollout.deleted]),
    ],
  };
}

export function decide(observed: Observed, now: Instant): Decision {
  const { set } = observed;
  if (set.metadata.deletionTimestamp !== undefined) return { actions: [], because: ["it is being deleted"] };
  const owner: RevisionOwner = { kind: daemonSets, object: set, hashLabel };
  const { revisions, update, actions: recorded } = revisionHistory(owner, observed);
  // What follows is decided about the pods and revisions as they are afterwards.
  if (update === undefined) return { actions: recorded, because: ["the template is recorded as a revision first"] };
  const claimed = claim({ ...owner, selector: set.spec.selector }, podKind, observed.pods);
  if (claimed.actions.length > 0) return { actions: claimed.actions, because: ["pods are adopted or released first"] };
  const look: Look = { set, now, hash: update.metadata.labels?.[hashLabel] ?? "" };
  const all = placesOf(observed, claimed.owned);
  const { actions, waits } = steps(look, all, observed);
  const status = statusOf(look, all.places);
  const hashes = new Set(claimed.owned.map((p) => p.metadata.labels?.[hashLabel]));
  const used = [update, ...revisions.filter((r) => hashes.has(r.metadata.labels?.[hashLabel]))];
  const ripening = claimed.owned.map((p) => untilAvailable(p, set.spec.minReadySeconds ?? 0, now));
  const requeueAfter = Math.min(...waits, ...ripening.filter((ms) => ms > 0));
  return {
    actions: [
      ...actions,
      ...statusTo(daemonSets, set, status),
      ...expireRevisions(owner, revisions, new Set(used.map(({ metadata }) => metadata.name))),
    ],
    because: [
      `${status.desiredNumberScheduled} nodes desired, ${status.currentNumberScheduled} have a pod, ${status.updatedNumberScheduled ?? 0} of revision ${update.metadata.name}`,
    ],
    ...(Number.isFinite(requeueAfter) && { requeueAfter }),
  };
}
