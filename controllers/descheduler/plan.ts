// The plan: which pods to evict, why, where they will go, and what that does to the nodes. Pure.
import { amountsOf, effectiveRequests } from "../../api/core/pod/status.ts";
import type { Node } from "../../api/generated/types.ts";
import { type Draft, type Move, newDraft, type Situation } from "./draft.ts";
import { needsNode } from "./evictable.ts";
import { strategies } from "./strategies.ts";

/** How many nodes have pods that need one, and which part of their resources is requested. */
export interface Usage {
  readonly nodes: number;
  readonly cpu: number;
  readonly memory: number;
}
export interface Plan {
  /** To be carried out in this order, each when the one before has been. */
  readonly moves: readonly Move[];
  readonly freedNodes: readonly string[];
  readonly before: Usage;
  readonly after: Usage;
  /** Why pods and nodes stay that a strategy would have moved or freed. */
  readonly notes: readonly string[];
}

const isUsed =
  (draft: Draft) =>
  ({ metadata }: Node): boolean =>
    draft.simulated.podsOn(metadata.name).some(needsNode);

function usageOf(used: readonly Node[], draft: Draft): Usage {
  const part = (resource: string): number => {
    let [requested, total] = [0, 0];
    for (const { metadata, status } of used) {
      total += amountsOf(status?.allocatable)[resource] ?? 0;
      for (const pod of draft.simulated.podsOn(metadata.name)) requested += effectiveRequests(pod)[resource] ?? 0;
    }
    return total === 0 ? 0 : requested / total;
  };
  return { nodes: used.length, cpu: part("cpu"), memory: part("memory") };
}

/** Applies the chosen strategies one after the other, each to what the earlier ones leave. */
export function planOf(situation: Situation): Plan {
  const draft = newDraft(situation);
  const { nodes } = situation.cluster;
  const used = nodes.filter(isUsed(draft));
  const before = usageOf(used, draft);
  for (const strategy of strategies) if (situation.settings.strategies.includes(strategy.name)) strategy.apply(draft);
  const left = nodes.filter(isUsed(draft));
  return {
    moves: [...draft.moves],
    freedNodes: used.filter((node) => !left.includes(node)).map(({ metadata }) => metadata.name),
    ...{ before, after: usageOf(left, draft), notes: draft.notes },
  };
}
