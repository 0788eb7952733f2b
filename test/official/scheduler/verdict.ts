// What a scheduler thinks of a pod: the nodes that fit with their scores, or why there is none; and how two of them
// differ. Pure.
import type { Pod } from "../../../api/generated/types.ts";
import type { Outcome, Preemption } from "./outcomes.ts";

/** Weighted scores by plugin. */
export type Scores = Readonly<Record<string, number>>;
/** Pods that would have to leave a node. */
export interface Candidate {
  readonly victims: readonly string[];
  /** Compared element by element; the least is the best. */
  readonly cost: readonly number[];
}
export interface Verdict extends Outcome {
  /** The nodes that passed; the best ones only when `isPartial`. */
  readonly fit: readonly string[];
  readonly isPartial?: boolean;
  /** By node; empty when one node alone passed. */
  readonly scores: Readonly<Record<string, Scores>>;
  /** By node: what kube-scheduler found for preemption. */
  readonly candidates?: Readonly<Record<string, Candidate>>;
}

export type Difference = {
  /** `placement`: one binds the pod where the other does not; `preemption`: other pods have to leave. */
  readonly kind: "placement" | "preemption" | "fit" | "message" | "score";
  readonly text: string;
};

/** Scores that are the same on every node do not matter: a plugin that skips a pod equals one that likes all nodes. */
function relative(plugin: string, { scores }: Verdict, nodes: readonly string[]): readonly number[] {
  const column = nodes.map((node) => scores[node]?.[plugin] ?? 0);
  const least = Math.min(...column);
  return column.map((score) => score - least);
}
/**
 * kube-scheduler v1.36 filters a pod by the requests that it has as a unit, and counts them of pods on nodes, but scores
 * it by those of its containers: its scorer is not built with that feature. Here it is scored by what it requests.
 */
const overlookedFor = (pod: object): ReadonlySet<string> => new Set("resources" in pod ? ["NodeResourcesFit"] : []);

function scoreDifferences(own: Verdict, original: Verdict, overlooked: ReadonlySet<string>): readonly Difference[] {
  const nodes = Object.keys(own.scores).filter((node) => original.scores[node]);
  if (nodes.length < 2) return [];
  const plugins = new Set([own, original].flatMap(({ scores }) => nodes.flatMap((node) => Object.keys(scores[node]!))));
  return [...plugins.difference(overlooked)].flatMap((plugin) => {
    const [a, b] = [own, original].map((verdict) => relative(plugin, verdict, nodes));
    if (`${a}` === `${b}`) return [];
    const text = nodes.map((node, i) => `${node} ${a![i]} (original ${b![i]})`).join(", ");
    return [{ kind: "score", text: `${plugin}: ${text}` } as const];
  });
}

function fitDifferences(own: Verdict, original: Verdict): readonly Difference[] {
  const wrong = own.fit.filter((node) => !original.fit.includes(node));
  const missing = own.isPartial ? [] : original.fit.filter((node) => !own.fit.includes(node));
  const texts = [
    ...(wrong.length > 0 ? [`only here fit: ${wrong.join(" ")}`] : []),
    ...(missing.length > 0 ? [`only in the original fit: ${missing.join(" ")}`] : []),
  ];
  return texts.map((text) => ({ kind: "fit", text }));
}

/** In the order in which kube-scheduler compares nodes: budgets, priorities of the victims, their number, their age. */
export function costOf(victims: readonly Pod[], violations: number): readonly number[] {
  const priorities = victims.map(({ spec }) => spec.priority ?? 0);
  const highest = Math.max(...priorities);
  const sum = priorities.reduce((total, priority) => total + priority + 2 ** 31, 0);
  const starts = victims
    .filter(({ spec }) => (spec.priority ?? 0) === highest)
    .map(({ status }) => (status?.startTime === undefined ? Infinity : Date.parse(status.startTime)));
  return [violations, highest, sum, victims.length, -Math.min(...starts)];
}
function isLess(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && a[at]! < b[at]!;
}

const preemptionText = (preemption: Preemption | undefined): string =>
  preemption ? `${preemption.nodeName} without ${preemption.victims.join(" ")}` : "none";
/** Both evict the same pods, and no other node would have been better. */
function preemptionDifferences(own: Verdict, original: Verdict): readonly Difference[] {
  const [a, b] = [own.preemption, original.preemption];
  const difference = (why: string): readonly Difference[] => [
    { kind: "preemption", text: `${why}: here ${preemptionText(a)}; original ${preemptionText(b)}` },
  ];
  if (!a && !b) return [];
  if (!a || !b || a.nodeName !== b.nodeName) return difference("node");
  if (`${a.victims.toSorted()}` !== `${b.victims.toSorted()}`) return difference("victims");
  const chosen = original.candidates?.[a.nodeName];
  if (!chosen) return difference("not a candidate");
  const better = Object.entries(original.candidates ?? {}).filter(([, other]) => isLess(other.cost, chosen.cost));
  if (better.length > 0)
    return difference(`better ${better.map(([node, { cost }]) => `${node} (${cost})`)} than ${chosen.cost}`);
  return messageDifferences(a, b);
}

const messageDifferences = (a: Outcome, b: Outcome): readonly Difference[] =>
  a.message === b.message && a.reason === b.reason
    ? []
    : [{ kind: "message", text: `here     ${a.reason}: ${a.message}\n    original ${b.reason}: ${b.message}` }];

const textOf = ({ nodeName, reason, message, fit, preemption }: Verdict): string =>
  `${nodeName === undefined ? `pending, ${reason}: ${message}` : `on ${nodeName}, fit: ${fit.join(" ")}`}${
    preemption ? ` after preemption of ${preemptionText(preemption)}` : ""
  }`;

/** How this project's verdict about a pod of this spec differs from the original's. */
export function differences(pod: object, own: Verdict, original: Verdict): readonly Difference[] {
  const isPlaced = own.nodeName !== undefined;
  if (isPlaced !== (original.nodeName !== undefined) || (isPlaced && !original.fit.includes(own.nodeName)))
    return [{ kind: "placement", text: `here ${textOf(own)}; original ${textOf(original)}` }];
  const preempted = preemptionDifferences(own, original);
  if (preempted.length > 0) return preempted;
  return isPlaced
    ? [...fitDifferences(own, original), ...scoreDifferences(own, original, overlookedFor(pod))]
    : messageDifferences(own, original);
}
