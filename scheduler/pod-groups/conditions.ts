// The condition PodGroupScheduled of pod groups.
import { withCondition } from "../../api/conditions.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { hasReason, isAmbiguous } from "../../api/errors.ts";
import type { Condition, PodGroup } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { podGroups } from "../../api/scheduling/podgroups.ts";
import type { Client } from "../../machinery/client.ts";
import { backoff } from "../../machinery/workqueue.ts";
import type { World } from "../../machinery/world.ts";

export interface GroupOutcome {
  readonly reason: "Scheduled" | "Unschedulable" | "SchedulerError";
  readonly message: string;
}

/** Writes the outcome of a decision, unless the group is scheduled already: more pods of it do not take that back. */
export function outcomeWriter(
  client: Client,
  world: World,
  signal: AbortSignal,
): (group: PodGroup, outcome: GroupOutcome) => Promise<void> {
  const write = async (group: PodGroup, conditions: readonly Condition[]): Promise<void> => {
    const patch = { metadata: { uid: group.metadata.uid }, status: { conditions } };
    for (let failures = 1; ; failures++) {
      try {
        await client.patch(podGroups, keyOf(group), { type: "strategic", patch }, "status");
        return;
      } catch (e) {
        if (!isAmbiguous(e)) throw e;
        await world.clock.sleep(backoff(failures), signal);
      }
    }
  };
  return async (group, { reason, message }) => {
    const type = "PodGroupScheduled";
    const status = reason === "Scheduled" ? "True" : "False";
    const { conditions } = group.status ?? {};
    const before = conditionOf(conditions, type);
    if (before?.status === "True" && status !== "True") return;
    const next = withCondition<Condition>(conditions, { type, status, reason, message }, world.clock.now());
    if (next === conditions || (before && conditionOf(next, type) === before)) return;
    await write(group, [conditionOf(next, type)!]).catch((e: unknown) => {
      if (signal.aborted || hasReason(e, "NotFound", "Conflict")) return;
      world.log("condition not written", { podGroup: keyOf(group), error: (e as Error).message });
    });
  };
}
