// What a scheduler thinks of a pod: the nodes that fit with their scores, or why there is none; and how two of them
// differ. Pure.
import type { Outcome } from "./cluster.ts";

/** Weighted scores by plugin. */
export type Scores = Readonly<Record<string, number>>;
export interface Verdict extends Outcome {
  /** The nodes that passed; the best ones only when `isPartial`. */
  readonly fit: readonly string[];
  readonly isPartial?: boolean;
  /** By node; empty when one node alone passed. */
  readonly scores: Readonly<Record<string, Scores>>;
}

export type Difference = {
  /** `placement`: one binds the pod where the other does not. The others leave the placement right. */
  readonly kind: "placement" | "fit" | "message" | "score";
  readonly text: string;
};

/** Scores that are the same on every node do not matter: a plugin that skips a pod equals one that likes all nodes. */
function relative(plugin: string, { scores }: Verdict, nodes: readonly string[]): readonly number[] {
  const column = nodes.map((node) => scores[node]?.[plugin] ?? 0);
  const least = Math.min(...column);
  return column.map((score) => score - least);
}
function scoreDifferences(own: Verdict, original: Verdict): readonly Difference[] {
  const nodes = Object.keys(own.scores).filter((node) => original.scores[node]);
  if (nodes.length < 2) return [];
  const plugins = new Set([own, original].flatMap(({ scores }) => nodes.flatMap((node) => Object.keys(scores[node]!))));
  return [...plugins].flatMap((plugin) => {
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

const textOf = ({ nodeName, reason, message, fit }: Verdict): string =>
  nodeName === undefined ? `pending, ${reason}: ${message}` : `on ${nodeName}, fit: ${fit.join(" ")}`;

/** How this project's verdict differs from the original's. */
export function differences(own: Verdict, original: Verdict): readonly Difference[] {
  const isPlaced = own.nodeName !== undefined;
  if (isPlaced !== (original.nodeName !== undefined) || (isPlaced && !original.fit.includes(own.nodeName)))
    return [{ kind: "placement", text: `here ${textOf(own)}; original ${textOf(original)}` }];
  if (isPlaced) return [...fitDifferences(own, original), ...scoreDifferences(own, original)];
  return own.message === original.message && own.reason === original.reason
    ? []
    : [
        {
          kind: "message",
          text: `here     ${own.reason}: ${own.message}\n    original ${original.reason}: ${original.message}`,
        },
      ];
}
