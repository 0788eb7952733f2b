// One decision of the autoscaler: nodes to add, the next steps of removals, and why. Pure.
import type { Instant } from "../../api/meta.ts";
import { type History, type Observed, nodeStatesOf, type Situation } from "./observed.ts";
import type { Settings, Simulation } from "./ports.ts";
import { removals, type Step } from "./removal.ts";
import { scaleDown, type Unneeded } from "./scale-down.ts";
import { type ScaleUp, scaleUp } from "./scale-up.ts";
import { type Activity, statusText } from "./status.ts";

export interface Decision {
  readonly steps: readonly Step[];
  readonly because: readonly string[];
  readonly history: History;
  /** The text of the status ConfigMap. */
  readonly status: string;
  /** When something is due, if nothing changes before. */
  readonly dueAt?: Instant;
}

function historyAfter({ observed, nodeStates, now }: Situation, up: ScaleUp, unneeded: readonly Unneeded[]): History {
  const { history, provided } = observed;
  return {
    ...history,
    firstSeen: new Map(provided.map(({ name }) => [name, history.firstSeen.get(name) ?? now])),
    unneededSince: new Map(unneeded.map(({ node, since }) => [node.metadata.name, since])),
    refused: up.refused,
    ...(up.count > 0 && { addedAt: now }),
    // A node that never came is a failed addition.
    ...(nodeStates.missing.length > 0 && { addFailedAt: now }),
  };
}

const activityOf = (
  { nodeStates, observed }: Situation,
  { count, refused }: ScaleUp,
  unneeded: readonly Unneeded[],
): Activity => ({
  scaleUp: count + nodeStates.coming.length > 0 ? "InProgress" : refused.size > 0 ? "NoActivity" : "NotNeeded",
  scaleDownCandidates: unneeded.length,
  target: observed.provided.length + count,
});

export function decide(observed: Observed, simulation: Simulation, settings: Settings, now: Instant): Decision {
  const inputs = { observed, simulation, settings, now };
  const situation = { ...inputs, nodeStates: nodeStatesOf(inputs) };
  const up = scaleUp(situation);
  const { unneeded, because } = scaleDown(situation, up.expected);
  // Nothing is removed while nodes are added: pods of both would compete for the same room.
  const isGrowing = up.count > 0 || situation.nodeStates.coming.length > 0;
  const down = removals(situation, up, isGrowing ? [] : unneeded);
  const history = historyAfter(situation, up, unneeded);
  const due = Math.min(...unneeded.map((u) => u.due).filter((at) => at > now));
  return {
    steps: [
      ...up.events.map((action): Step => ({ do: "act", action, reports: [] })),
      ...(up.count > 0 ? [{ do: "add", count: up.count, reports: up.triggered } as const] : []),
      ...down.steps,
    ],
    because: [...up.because, ...down.because, ...because],
    history: down.hasFailed ? { ...history, removeFailedAt: now } : history,
    status: statusText(situation, activityOf(situation, up, unneeded)),
    ...(Number.isFinite(due) && { dueAt: due as Instant }),
  };
}
