// The strategies, in the order in which they are applied: first pods that are where they must not be, then balance.
import { duplicates } from "./strategies/duplicates.ts";
import { highNodeUtilization } from "./strategies/high-node-utilization.ts";
import { lifeTime } from "./strategies/life-time.ts";
import { lowNodeUtilization } from "./strategies/low-node-utilization.ts";
import { nodeAffinity } from "./strategies/node-affinity.ts";
import { nodeTaints } from "./strategies/node-taints.ts";
import { podAffinity } from "./strategies/pod-affinity.ts";
import { tooManyRestarts } from "./strategies/restarts.ts";
import { topologySpread } from "./strategies/topology-spread.ts";
import type { Strategy } from "./strategy.ts";

export const strategies: readonly Strategy[] = [
  nodeTaints,
  nodeAffinity,
  podAffinity,
  tooManyRestarts,
  lifeTime,
  duplicates,
  topologySpread,
  lowNodeUtilization,
  highNodeUtilization,
];

/** Those that are applied unless others are chosen. */
export const defaultStrategies: readonly string[] = strategies.filter((s) => s.isDefault).map((s) => s.name);

/** One that would undo what the others do, if the strategies do not go together. */
export function contradiction(names: readonly string[]): readonly [string, string] | undefined {
  const spreading = [duplicates, lowNodeUtilization].find(({ name }) => names.includes(name));
  return spreading && names.includes(highNodeUtilization.name) ? [highNodeUtilization.name, spreading.name] : undefined;
}
