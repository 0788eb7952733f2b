// What of a scheduling explanation a user may read: nodes, and pods that would have to leave them, are other objects.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import type { AttemptExplanation, NodeExplanation, SchedulingExplanation } from "../../api/explanation/scheduling.ts";
import { type Key, splitKey } from "../../api/meta.ts";
import type { Reader } from "./reader.ts";

/** Pods by `namespace/name` that the user may read; the others are counted. */
async function readablePods(victims: readonly string[], reader: Reader): Promise<readonly string[]> {
  const may = await Promise.all(
    victims.map(async (victim) => {
      const { namespace, name } = splitKey(victim as Key);
      return (await reader.may("list", pods, namespace)) || reader.may("get", pods, namespace, name);
    }),
  );
  const readable = victims.filter((_, i) => may[i]);
  const hidden = victims.length - readable.length;
  return hidden === 0 ? victims : [...readable, `${hidden} pods that you may not read`];
}

async function readableNode(node: NodeExplanation, reader: Reader): Promise<NodeExplanation> {
  const { victims } = node.preemption ?? {};
  if (!victims) return node;
  return { ...node, preemption: { ...node.preemption, victims: await readablePods(victims, reader) } };
}

/** Without the right to list nodes, the outcome and its message remain, which the pod's status has too. */
async function readableAttempt(attempt: AttemptExplanation, reader: Reader, showsNodes: boolean) {
  const { nodes: all, notEvaluated, remedies, victims, preemption, ...outcome } = attempt;
  const left = victims && { victims: await readablePods(victims, reader) };
  if (!showsNodes) return { ...outcome, ...left };
  const evaluated = all && (await Promise.all(all.map((node) => readableNode(node, reader))));
  return { ...attempt, ...left, ...(evaluated && { nodes: evaluated }) };
}

export async function readableScheduling(
  scheduling: SchedulingExplanation,
  reader: Reader,
): Promise<SchedulingExplanation> {
  const showsNodes = await reader.may("list", nodes);
  const attempts = scheduling.attempts.map((attempt) => readableAttempt(attempt, reader, showsNodes));
  return { ...scheduling, attempts: await Promise.all(attempts) };
}
