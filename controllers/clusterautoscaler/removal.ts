// The removal of nodes, step by step: mark, evict, remove. Each step follows from what is observed, so that a restarted
// autoscaler goes on where it was. Pure.
import { nodes } from "../../api/core/nodes.ts";
import { pods as podKind } from "../../api/core/pods.ts";
import type { Node, Pod, PodDisruptionBudget, Taint } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";
import { type Action, recordEvent } from "../../machinery/action.ts";
import { isAwaited } from "./movable.ts";
import {
  isNodeReady,
  markedAt,
  markedTaints,
  names,
  type Observed,
  type Situation,
  unmarkedTaints,
} from "./observed.ts";
import type { Occupancy } from "./ports.ts";
import { moveAway, type Unneeded } from "./scale-down.ts";
import type { ScaleUp } from "./scale-up.ts";

/** One thing to do, and the events that report it once it is done. */
export type Step =
  | { readonly do: "add"; readonly count: number; readonly reports: readonly Action[] }
  /** Removes the node from the provider, unless a live read finds a pod on it, and then deletes its object. */
  | {
      readonly do: "remove";
      readonly name: string;
      readonly node: Node | undefined;
      readonly reports: readonly Action[];
    }
  | { readonly do: "act"; readonly action: Action; readonly reports: readonly Action[] };

export interface Removals {
  readonly steps: readonly Step[];
  readonly because: readonly string[];
  /** A removal was aborted. */
  readonly hasFailed: boolean;
}

/** Replaces the taints of exactly this version of a node. */
function retaint(node: Node, taints: readonly Taint[], reports: readonly Action[]): Step {
  const { uid, resourceVersion } = node.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } };
  return {
    do: "act",
    action: { do: "patch", resource: nodes, object: node, patch: { type: "merge", patch } },
    reports,
  };
}

const event = (node: Node, message: string): Action => recordEvent(node, "Normal", "ScaleDown", message);

/** Marks a node, so that the scheduler places nothing on it any more. */
function mark({ node, moved, ratio }: Unneeded, { status }: Observed, now: Instant): Step {
  const { name } = node.metadata;
  const use = `utilization: ${ratio.toFixed(2)}, pods to reschedule: ${moved.map((p) => p.metadata.name).join(",")}`;
  const summary =
    moved.length === 0
      ? recordEvent(status, "Normal", "ScaleDownEmpty", `Scale-down: removing empty node "${name}"`)
      : recordEvent(status, "Normal", "ScaleDown", `Scale-down: removing node ${name}, ${use}`);
  return retaint(node, markedTaints(node, now), [event(node, "marked the node as toBeDeleted/unschedulable"), summary]);
}

const evict = (pod: Pod): Step => ({
  do: "act",
  action: { do: "evict", resource: podKind, object: pod },
  reports: [recordEvent(pod, "Normal", "ScaleDown", "deleting pod for node scale down")],
});

const remove = (name: string, node: Node | undefined, reports: readonly Action[]): Step => ({
  do: "remove",
  name,
  node,
  reports,
});

/** The removals that begin now: every empty node, and one with pods when no other is being drained. */
function beginning(unneeded: readonly Unneeded[], leaving: number, now: Instant): readonly Unneeded[] {
  const due = unneeded.filter((u) => u.due <= now);
  const empty = due.filter(({ moved }) => moved.length === 0);
  return [...empty, ...(leaving === 0 ? due.filter(({ moved }) => moved.length > 0).slice(0, 1) : [])];
}

/** What comes next for a marked node, and where its pods will be. */
interface Stage {
  readonly steps: readonly Step[];
  readonly because: string;
  readonly after?: Occupancy;
  readonly hasFailed?: true;
}

/** Budgets that refuse nothing: during a drain the eviction API decides, again and again. */
const lenient = (budgets: readonly PodDisruptionBudget[]): readonly PodDisruptionBudget[] =>
  budgets.map((b) => ({ ...b, status: { ...b.status!, disruptionsAllowed: 1 } }));

/** The pods a removal waits for. The kubelet of a lost node confirms no deletion. */
const awaitedOn = (node: Node, { pods }: Observed): readonly Pod[] =>
  pods.filter(
    (p) =>
      p.spec.nodeName === node.metadata.name &&
      isAwaited(p) &&
      (isNodeReady(node) || p.metadata.deletionTimestamp === undefined),
  );

/** The next step for a marked node, whose pods must find room in what is left. */
function drain(node: Node, left: Occupancy, { observed, simulation, settings, now }: Situation): Stage {
  const { name } = node.metadata;
  const awaited = awaitedOn(node, observed);
  const age = now - markedAt(node)!;
  const move = moveAway(node, left, lenient(observed.budgets), simulation);
  const isLate = awaited.length > 0 && age >= settings.drainMs;
  if ("obstacle" in move || isLate) {
    const why = "obstacle" in move ? move.obstacle : `${names(awaited)} are there after ${settings.drainMs / 1000} s`;
    const failed = recordEvent(node, "Warning", "ScaleDownFailed", "failed to drain the node, aborting ScaleDown");
    const steps = [retaint(node, unmarkedTaints(node), [failed])];
    return { steps, because: `${name} is kept: ${why}`, hasFailed: true };
  }
  const { after, moved } = move;
  if (age < settings.taintDelayMs) return { steps: [], because: `${name} is marked for removal`, after };
  if (awaited.length > 0) return { steps: moved.map(evict), because: `${name} is drained of ${names(awaited)}`, after };
  const removed = remove(name, node, [event(node, "node removed by cluster autoscaler")]);
  return { steps: [removed], because: `${name} is empty and is removed`, after };
}

/** The next steps of removals under way, and the first of those that begin. */
export function removals(
  situation: Situation,
  { expected, kept }: Pick<ScaleUp, "expected" | "kept">,
  unneeded: readonly Unneeded[],
): Removals {
  const { observed, nodeStates, settings, now } = situation;
  let left = expected;
  const stages = nodeStates.leaving
    .filter((node) => !kept.includes(node.metadata.name))
    .map((node) => {
      const stage = drain(node, left, situation);
      left = stage.after ?? left;
      return stage;
    });
  const unmarked = nodeStates.leaving
    .filter((node) => kept.includes(node.metadata.name))
    .map((node) => retaint(node, unmarkedTaints(node), [event(node, "unmarked the node: pods wait for its room")]));
  const gone = nodeStates.orphaned.map(
    (object): Step => ({ do: "act", action: { do: "delete", resource: nodes, object }, reports: [] }),
  );
  const draining = stages.filter(({ hasFailed }) => !hasFailed).length;
  return {
    steps: [
      ...unmarked,
      ...stages.flatMap(({ steps }) => steps),
      ...nodeStates.missing.map((name) => remove(name, undefined, [])),
      ...gone,
      ...beginning(unneeded, draining, now).map((u) => mark(u, observed, now)),
    ],
    because: [
      ...stages.map(({ because }) => because),
      ...nodeStates.missing.map(
        (name) => `${name} was not registered within ${settings.provisionMs / 1000} s and is removed`,
      ),
      ...nodeStates.orphaned.map(({ metadata }) => `${metadata.name} has no machine any more`),
    ],
    hasFailed: stages.some(({ hasFailed }) => hasFailed),
  };
}
