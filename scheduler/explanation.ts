// A placement in words, for the decision log: the scores of the best nodes, or what each node lacked.
import type { DecisionRecord } from "../machinery/decisions.ts";
import type { Placement } from "./place.ts";
import type { NodeScore } from "./scoring.ts";

/** So many nodes are named when none will do; the message counts the others. */
const namedNodes = 10;

const scoreText = ({ nodeName, total, byPlugin }: NodeScore): string =>
  `${nodeName} scored ${total}: ${Object.entries(byPlugin)
    .map(([plugin, score]) => `${plugin} ${score}`)
    .join(", ")}`;

/** The reasons and the action of a decision. */
export function explained(placement: Placement): Pick<DecisionRecord, "because" | "actions"> {
  if (placement.outcome === "unschedulable") {
    const { message, nodeStatuses } = placement.diagnosis;
    const named = nodeStatuses
      .slice(0, namedNodes)
      .map(({ nodeName, plugin, status }) => `${nodeName} rejected by ${plugin}: ${status.reasons.join(", ")}`);
    return { because: [message, ...named], actions: [] };
  }
  const { nodeName, scores } = placement;
  return {
    because: scores.length > 0 ? scores.map(scoreText) : [`${nodeName} is the only node that passed`],
    actions: [`bind to ${nodeName}`],
  };
}
