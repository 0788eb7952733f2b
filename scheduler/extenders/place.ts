// Decides a pod with extenders: the nodes that pass the plugins are sent to extenders, and what these return
// takes part in the decision as one more plugin.
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import type { Pod } from "../../api/generated/types.ts";
import type { Log } from "../../machinery/world.ts";
import {
  failed,
  type FilterOutcome,
  type Rejection,
  type SchedulerPlugin,
  type Trial,
  skip,
  type Snapshot,
  unresolvable,
} from "../framework.ts";
import type { NodeInfo, PodInfo } from "../node-info.ts";
import { place, type Placement, type PlacementOptions } from "../place.ts";
import { violating } from "../plugins/disruption-budgets.ts";
import type { Extender } from "./extender.ts";

/** Who decides, and what is needed to call them. */
interface Deciders {
  readonly plugins: readonly SchedulerPlugin[];
  /** Those that are interested in the pod. */
  readonly extenders: readonly Extender[];
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** The plugin that extenders reject pods as. It declares no events, so every change may help such a pod. */
const extenderName = "Extender";

/** Passes every node, and adds its name to `reached`: the nodes that pass the plugins before it. */
const recorder = (reached: Set<string>): SchedulerPlugin => ({
  name: extenderName,
  filter(_, { name }) {
    reached.add(name);
    return undefined;
  },
  score: () => 0,
});

/** What extenders have made of nodes so far. */
interface Verdicts {
  readonly judged: Set<string>;
  readonly passed: Set<string>;
  /** Reasons; a judged node that is here as little as among those that passed was dropped without one. */
  readonly rejections: Map<string, Rejection>;
}
const dropped = unresolvable();
/**
 * Filters and scores by what extenders returned. Nodes that they have not judged are rejected and added to `unjudged`.
 * Evicting pods does not change a verdict: the node has passed the plugins with all of them.
 */
const verdictsAsPlugin = (
  { judged, passed, rejections }: Verdicts,
  unjudged: Set<string>,
  scores: ReadonlyMap<string, number> = new Map(),
): SchedulerPlugin => ({
  name: extenderName,
  filter(_, { name }) {
    if (passed.has(name)) return undefined;
    if (!judged.has(name)) unjudged.add(name);
    return rejections.get(name) ?? dropped;
  },
  score: (_, { name }) => scores.get(name) ?? 0,
});

const vetoed: Trial = { add() {}, remove() {}, rejection: () => unresolvable() };
/** Preemption that passes over nodes which extenders do not want pods to leave. */
const preemptionWithout = (nodeNames: ReadonlySet<string>, plugin: SchedulerPlugin): SchedulerPlugin => ({
  ...plugin,
  postFilter(pod, outcome, snapshot) {
    const tryOn: FilterOutcome["tryOn"] = (node) => (nodeNames.has(node.name) ? vetoed : outcome.tryOn(node));
    const result = plugin.postFilter?.(pod, { ...outcome, tryOn }, snapshot);
    return result?.victims ? result : { ...result, message: "preemption: no candidate node for preemption" };
  },
});

/** Runs a call of an extender. Undefined when it fails and can be ignored; throws when it cannot. */
async function tried<T>({ name, isIgnorable }: Extender, log: Log, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (e) {
    if (!isIgnorable) throw e;
    log("extender ignored", { extender: name, error: (e as Error).message });
    return undefined;
  }
}

/** Calls the extenders one after the other; each sees the nodes that passed the one before. */
async function judge(pod: Pod, nodes: readonly NodeInfo[], verdicts: Verdicts, { extenders, log, signal }: Deciders) {
  let left = nodes;
  for (const { name } of nodes) verdicts.judged.add(name);
  for (const extender of extenders) {
    if (left.length === 0) break;
    const found = await tried(extender, log, extender.filter(pod, left, signal));
    if (!found) continue;
    for (const [node, rejection] of found.rejections) verdicts.rejections.set(node, rejection);
    left = left.filter(({ name }) => found.passed.has(name));
  }
  for (const { name } of left) verdicts.passed.add(name);
}

/** Adds up the scores. An extender that fails gives none. */
async function prioritized(pod: Pod, nodes: readonly NodeInfo[], { extenders, log, signal }: Deciders) {
  const none: ReadonlyMap<string, number> = new Map();
  const results = await Promise.all(
    extenders.map((extender) =>
      extender.prioritize(pod, nodes, signal).catch((e: Error) => {
        log("extender gives no scores", { extender: extender.name, error: e.message });
        return none;
      }),
    ),
  );
  const sums = new Map<string, number>();
  for (const result of results) for (const [node, score] of result) sums.set(node, (sums.get(node) ?? 0) + score);
  return sums;
}

/** The victims on a node that all extenders agree to; undefined when one does not want the node. */
async function agreed(pod: Pod, node: NodeInfo, victims: readonly PodInfo[], snapshot: Snapshot, deciders: Deciders) {
  const { extenders, log, signal } = deciders;
  const budgets = snapshot.lister(podDisruptionBudgets).all();
  let pods: readonly PodInfo[] = victims;
  for (const extender of extenders.filter(({ preempts }) => preempts)) {
    const violations = violating(pods, budgets).size;
    const call = extender.preempt(pod, node, { pods, violations }, signal);
    const result = await tried(
      extender,
      log,
      call.then((accepted) => ({ accepted })),
    );
    if (!result) continue;
    if (!result.accepted) return undefined;
    pods = result.accepted;
  }
  return pods;
}

/** What remains of a placement that preempts, after extenders have seen its nodes, one after the other. */
async function withAgreedVictims(
  pod: Pod,
  found: Placement,
  again: (plugins: readonly SchedulerPlugin[]) => Placement,
  snapshotOf: () => Snapshot,
  deciders: Deciders,
): Promise<Placement> {
  const refused = new Set<string>();
  let placement = found;
  while (placement.outcome === "unschedulable" && placement.diagnosis.victims.length > 0) {
    const { diagnosis } = placement;
    const snapshot = snapshotOf();
    const node = snapshot.byName.get(diagnosis.nominatedNodeName ?? "");
    const victims = node && (await agreed(pod, node, diagnosis.victims, snapshot, deciders));
    if (victims) return { ...placement, diagnosis: { ...diagnosis, victims } };
    refused.add(diagnosis.nominatedNodeName ?? "");
    const { plugins } = deciders;
    placement = again(plugins.map((p) => (p.name === "DefaultPreemption" ? preemptionWithout(refused, p) : p)));
  }
  return placement;
}

/**
 * Decides a pod as `place` does, with extenders. The cluster may change while they are called, so every step begins
 * with the present snapshot, and nodes that pass the plugins only then are judged too. Throws the error of an extender
 * that cannot be ignored.
 */
export async function placeWithExtenders(
  pod: Pod,
  snapshotOf: () => Snapshot,
  options: PlacementOptions,
  deciders: Deciders,
): Promise<Placement> {
  const nodesNamed = (names: ReadonlySet<string>): readonly NodeInfo[] =>
    [...names].flatMap((name) => snapshotOf().byName.get(name) ?? []);
  const placed = (plugins: readonly SchedulerPlugin[]): Placement => place(pod, snapshotOf(), plugins, options);
  const placedBy = (...more: readonly SchedulerPlugin[]): Placement => placed([...deciders.plugins, ...more]);
  const reached = new Set<string>();
  let placement = placedBy(recorder(reached));
  let unjudged: Set<string> = placement.outcome === "placed" ? reached : new Set();
  const verdicts: Verdicts = { judged: new Set(), passed: new Set(), rejections: new Map() };
  let own: readonly SchedulerPlugin[] = [];
  const judged = (scores?: ReadonlyMap<string, number>): Placement => {
    unjudged = new Set();
    own = [verdictsAsPlugin(verdicts, unjudged, scores)];
    return placedBy(...own);
  };
  while (unjudged.size > 0) {
    await judge(pod, nodesNamed(unjudged), verdicts, deciders);
    placement = judged();
    if (placement.outcome === "placed") break;
  }
  if (placement.outcome === "placed")
    return verdicts.passed.size > 1 ? judged(await prioritized(pod, nodesNamed(verdicts.passed), deciders)) : placement;
  if (!deciders.extenders.some(({ preempts }) => preempts)) return placement;
  return withAgreedVictims(pod, placement, (plugins) => placed([...plugins, ...own]), snapshotOf, deciders);
}

/** Binds by the first extender that binds; the pod's profile binds when there is none, or its error can be ignored. */
export const extenderBinder = (extenders: readonly Extender[], log: Log): SchedulerPlugin => ({
  name: extenderName,
  async bind({ pod }, nodeName, { signal }) {
    for (const extender of extenders) {
      if (!extender.binds || !extender.isInterestedIn(pod)) continue;
      try {
        const isBound = await tried(
          extender,
          log,
          extender.bind(pod, nodeName, signal).then(() => true),
        );
        if (isBound) return undefined;
      } catch (e) {
        signal.throwIfAborted();
        return failed((e as Error).message);
      }
    }
    return skip;
  },
});
