// The next step of a stateful set: pods are created in the order of their ordinals, deleted in the reverse order, and
// replaced by those of a new revision from the highest ordinal down to the partition. A pod's name is its identity, so
// none is created before the last of its name is gone. Pure.
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { share } from "../../api/int-or-percent.ts";
import { type Action, recordEvent, statusTo, updateTo } from "../../machinery/action.ts";
import type { Decision } from "../../machinery/controller.ts";
import {
  expireRevisions,
  type ObservedRevisions,
  revisionHistory,
  type RevisionOwner,
  templateOf,
} from "../../machinery/revision-history.ts";
import { claim } from "../../machinery/selector-index.ts";
import { isStale, ownershipOf } from "./claims.ts";
import {
  claimDrafts,
  desiredReplicas,
  firstOrdinal,
  isInRange,
  ordinalOf,
  podDraft,
  podName,
  revisionOf,
  withIdentity,
} from "./identity.ts";
import { isRunningAndReady, isTerminating, type Revisions, statusOf, waitOf } from "./status.ts";

export interface Observed extends ObservedRevisions {
  readonly set: StatefulSet;
  /** Pods it controls, and uncontrolled ones that its selector picks. */
  readonly pods: readonly Pod[];
  /** The pod of that name, of whatever owner. */
  readonly podNamed: (name: string) => Pod | undefined;
  readonly claimNamed: (name: string) => PersistentVolumeClaim | undefined;
}

/** An ordinal and its pod, if there is one. */
interface Slot {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
}
type Existing = Slot & { readonly pod: Pod };

/** What is done about one ordinal, and why the next ones have to wait, if they do. */
interface Step {
  readonly actions: readonly Action[];
  readonly waitsFor?: string;
}
const next: Step = { actions: [] };
const wait = (waitsFor: string, actions: readonly Action[] = []): Step => ({ actions, waitsFor });

/** What every step depends on. */
interface Look extends Revisions {
  readonly set: StatefulSet;
  readonly podNamed: Observed["podNamed"];
  readonly claimNamed: Observed["claimNamed"];
  readonly isOrdered: boolean;
  readonly now: Instant;
}

/** Kubernetes words events about pods and about claims differently. */
const event = (set: StatefulSet, reason: string, what: string, outcome = "successful"): Action =>
  recordEvent(set, "Normal", reason, `${what} in StatefulSet ${set.metadata.name} ${outcome}`);
/** The event of a create that the server refuses. */
const failed = (set: StatefulSet, what: string) => (message: string) => [
  recordEvent(set, "Warning", "FailedCreate", `${what} in StatefulSet ${set.metadata.name} failed error: ${message}`),
];

const deletePod = ({ set }: Look, pod: Pod): readonly Action[] => [
  { do: "delete", resource: pods, object: pod },
  event(set, "SuccessfulDelete", `Delete Pod ${pod.metadata.name}`),
];

/** Pods below the partition are of the current revision, and without one those that an update has not reached. */
function isOfCurrentRevision({ spec, status }: StatefulSet, index: number): boolean {
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  return (
    type === "RollingUpdate" &&
    index < (rollingUpdate ? (rollingUpdate.partition ?? 0) : (status?.currentReplicas ?? 0))
  );
}

/** The claims of an ordinal that do not exist, each with an event. */
function createClaims({ set, claimNamed }: Look, ordinal: number): readonly Action[] {
  const missing = [...claimDrafts(set, ordinal).values()].filter(({ metadata }) => !claimNamed(metadata.name!));
  return missing.flatMap((draft): readonly Action[] => {
    const what = `Create Claim ${draft.metadata.name} Pod ${podName(set, ordinal)}`;
    return [
      { do: "create", resource: persistentVolumeClaims, draft, refused: failed(set, what) },
      event(set, "SuccessfulCreate", what, "success"),
    ];
  });
}

const claimsOf = ({ set, claimNamed }: Look, { ordinal }: Slot): readonly PersistentVolumeClaim[] =>
  [...claimDrafts(set, ordinal).values()].flatMap(({ metadata }) => claimNamed(metadata.name!) ?? []);
const giveOwners = (look: Look, slot: Slot): readonly Action[] =>
  claimsOf(look, slot).flatMap((c) => ownershipOf(look.set, slot, podName(look.set, slot.ordinal), c));

/** Creates the pod of an ordinal, once its name is free and its claims exist and stay. */
function create(look: Look, slot: Slot): Step {
  const { set } = look;
  const name = podName(set, slot.ordinal);
  if (look.podNamed(name)) return wait(`a pod that is not of this set has the name ${name}`);
  const leaving = claimsOf(look, slot).find((c) => isTerminating(c) || isStale(c, name, undefined));
  if (leaving) return wait(`claim ${leaving.metadata.name} of pod ${name} is to be deleted`);
  const claims = [...createClaims(look, slot.ordinal), ...giveOwners(look, slot)];
  if (claims.length > 0) return wait(`the claims of pod ${name} come first`, claims);
  const revision = isOfCurrentRevision(set, slot.ordinal - firstOrdinal(set)) ? look.current : look.update;
  const draft = podDraft(set, slot.ordinal, templateOf(revision), revision.metadata.name);
  const actions: readonly Action[] = [
    { do: "create", resource: pods, draft, refused: failed(set, `Create Pod ${name}`) },
    event(set, "SuccessfulCreate", `Create Pod ${name}`),
  ];
  return wait(`pod ${name} is created`, actions);
}

/** A pod that has ended is deleted, whatever its exit code, and created again when it is gone. */
function keep(look: Look, slot: Existing): Step {
  const { set, isOrdered, now } = look;
  const { pod, ordinal } = slot;
  const { name } = pod.metadata;
  if (isTerminal(pod)) return wait(`pod ${name} has ended`, isTerminating(pod) ? [] : deletePod(look, pod));
  const claims = pod.status?.phase === "Pending" ? createClaims(look, ordinal) : [];
  if (isOrdered && isTerminating(pod)) return wait(`pod ${name} is terminating`, claims);
  if (isOrdered && waitOf(set, pod, now) > 0)
    return wait(`pod ${name} is not ${isRunningAndReady(pod) ? "available" : "ready"}`, claims);
  const named = updateTo<Pod>(pods, pod, withIdentity(set, ordinal, pod));
  return {
    actions: [
      ...[...claims, ...giveOwners(look, slot), ...named],
      ...(named.length > 0 ? [event(set, "SuccessfulUpdate", `Update Pod ${name}`)] : []),
    ],
  };
}

/** Deletes a pod beyond the desired number. An unhealthy one goes only when all below it are healthy. */
function condemn(look: Look, { pod }: Existing, firstUnhealthy: Slot | undefined): Step {
  const { name } = pod.metadata;
  if (isTerminating(pod)) return wait(`pod ${name} is terminating`);
  if (look.isOrdered && waitOf(look.set, pod, look.now) > 0 && pod !== firstUnhealthy?.pod)
    return wait(`pod ${firstUnhealthy?.pod?.metadata.name} is not ready`);
  return wait(`pod ${name} is deleted`, deletePod(look, pod));
}

/** Takes steps in order up to the first that has to be waited for; all of them where the order does not matter. */
function inOrder<S>(slots: readonly S[], isOrdered: boolean, stepOf: (slot: S) => Step): Step {
  const steps: Step[] = [];
  for (const slot of slots) {
    const step = stepOf(slot);
    steps.push(step);
    if (isOrdered && step.waitsFor !== undefined) break;
  }
  const waitsFor = steps.find((step) => step.waitsFor !== undefined)?.waitsFor;
  return { actions: steps.flatMap(({ actions }) => actions), ...(waitsFor !== undefined && { waitsFor }) };
}

const isUnavailable = ({ set, now }: Look, { pod }: Slot): boolean =>
  pod === undefined || isTerminating(pod) || waitOf(set, pod, now) > 0;

/**
 * Deletes pods of other revisions, the highest ordinals first: one at a time, each when those above it are available;
 * or, with `maxUnavailable`, as many as that allows, and those that are not available anyway.
 */
function rollOut(look: Look, replicas: readonly Slot[]): Step {
  const { set, update } = look;
  const { type, rollingUpdate = {} } = set.spec.updateStrategy ?? {};
  const { partition = 0, maxUnavailable } = rollingUpdate;
  const isOutdated = (slot: Slot): slot is Existing =>
    slot.pod !== undefined &&
    !isTerminating(slot.pod) &&
    !isTerminal(slot.pod) &&
    revisionOf(slot.pod) !== update.metadata.name;
  const targets = replicas.slice(partition).toReversed();
  const outdated = targets.filter(isOutdated);
  if (type === "OnDelete" || outdated.length === 0) return next;
  const waitsFor = `${outdated.length} pods are not of revision ${update.metadata.name} yet`;
  if (maxUnavailable === undefined) {
    const first = targets.find((slot) => isOutdated(slot) || isUnavailable(look, slot));
    return wait(waitsFor, first && isOutdated(first) ? deletePod(look, first.pod) : []);
  }
  const unavailable = replicas.filter((slot) => isUnavailable(look, slot)).length;
  let left = Math.max(1, share(maxUnavailable, desiredReplicas(set), Math.floor)) - unavailable;
  const chosen = outdated.filter((slot) => isUnavailable(look, slot) || left-- > 0);
  return wait(
    waitsFor,
    chosen.flatMap(({ pod }) => deletePod(look, pod)),
  );
}

/** Replicas first, then pods beyond the desired number, then the rolling update. */
function steps(look: Look, owned: readonly Pod[]): Step {
  const { set, isOrdered } = look;
  const slots = owned.flatMap((pod): readonly Existing[] => {
    const ordinal = ordinalOf(set, pod.metadata.name);
    return ordinal === undefined ? [] : [{ ordinal, pod }];
  });
  const podOf = new Map(slots.map(({ ordinal, pod }) => [ordinal, pod]));
  const replicas = Array.from({ length: desiredReplicas(set) }, (_, i): Slot => {
    const ordinal = firstOrdinal(set) + i;
    return { ordinal, pod: podOf.get(ordinal) };
  });
  const condemned = slots.filter(({ ordinal }) => !isInRange(set, ordinal)).toSorted((a, b) => b.ordinal - a.ordinal);
  const firstUnhealthy = [...replicas, ...condemned.toReversed()].find((slot) => isUnavailable(look, slot));
  const kept = inOrder(replicas, isOrdered, (slot) =>
    slot.pod === undefined ? create(look, slot) : keep(look, slot as Existing),
  );
  if (isOrdered && kept.waitsFor !== undefined) return kept;
  const owners = condemned.flatMap((slot) => giveOwners(look, slot));
  const scaled = inOrder(condemned, isOrdered, (slot) => condemn(look, slot, firstUnhealthy));
  const updated = isOrdered && scaled.waitsFor !== undefined ? next : rollOut(look, replicas);
  const waitsFor = kept.waitsFor ?? scaled.waitsFor ?? updated.waitsFor;
  return {
    actions: [...kept.actions, ...owners, ...scaled.actions, ...updated.actions],
    ...(waitsFor !== undefined && { waitsFor }),
  };
}

/** When the next pod becomes available. */
function nextAvailable({ set, now }: Look, owned: readonly Pod[]): number | undefined {
  const waits = owned.map((pod) => waitOf(set, pod, now)).filter((ms) => ms > 0 && Number.isFinite(ms));
  return waits.length > 0 ? Math.min(...waits) : undefined;
}

export function decide(observed: Observed, now: Instant): Decision {
  const { set, podNamed, claimNamed } = observed;
  const { deletionTimestamp } = set.metadata;
  const isMember = (pod: Pod): boolean => ordinalOf(set, pod.metadata.name) !== undefined;
  const owner: RevisionOwner = { kind: statefulSets, object: set, hashLabel: "controller.kubernetes.io/hash" };
  const { revisions, update, actions: recorded } = revisionHistory(owner, observed);
  const claimed = claim({ ...owner, selector: set.spec.selector }, pods, observed.pods, isMember);
  if (deletionTimestamp !== undefined && update === undefined) return { actions: [], because: ["it is being deleted"] };
  // What follows is decided about the pods and revisions as they are afterwards.
  if (update === undefined) return { actions: recorded, because: ["the template is recorded as a revision first"] };
  if (claimed.actions.length > 0) return { actions: claimed.actions, because: ["pods are adopted or released first"] };
  const current = revisions.find((r) => r.metadata.name === set.status?.currentRevision) ?? update;
  const look: Look = {
    ...{ set, podNamed, claimNamed, now, current, update },
    isOrdered: set.spec.podManagementPolicy !== "Parallel",
  };
  const { actions, waitsFor } =
    deletionTimestamp === undefined ? steps(look, claimed.owned) : wait("it is being deleted");
  const used = new Set([current.metadata.name, update.metadata.name, ...claimed.owned.map(revisionOf)]);
  const requeueAfter = nextAvailable(look, claimed.owned);
  return {
    actions: [
      ...actions,
      ...statusTo(statefulSets, set, statusOf(set, claimed.owned, look, now)),
      ...expireRevisions(owner, revisions, used),
    ],
    because: [
      `${desiredReplicas(set)} desired, ${claimed.owned.length} exist, revision ${update.metadata.name}`,
      ...(waitsFor === undefined ? [] : [waitsFor]),
    ],
    ...(requeueAfter !== undefined && { requeueAfter }),
  };
}
