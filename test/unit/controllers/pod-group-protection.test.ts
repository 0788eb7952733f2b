// The protection finalizer of pod groups: removed when the group is deleted and none of its pods is active.
import { expect, test } from "vitest";
import type { Pod, PodGroup } from "../../../api/generated/types.ts";
import { podGroupFinalizer } from "../../../api/scheduling/podgroups.ts";
import { decide } from "../../../controllers/podgroupprotection/controller.ts";
import { ago, asStored, carryOut, pod } from "./world.ts";

const going = { deletionTimestamp: ago(1) };
const table: readonly (readonly [what: string, metadata: object, pods: readonly Pod[], isKept: boolean])[] = [
  ["not deleted", {}, [], true],
  ["deleted, without pods", going, [], false],
  ["deleted, with a pod that waits", going, [pod("p", { phase: "Pending" })], true],
  ["deleted, with a pod that is being deleted", going, [pod("p", { metadata: going })], true],
  [
    "deleted, with pods that have ended",
    going,
    [pod("p", { phase: "Failed" }), pod("q", { phase: "Succeeded" })],
    false,
  ],
];
for (const [what, metadata, pods, isKept] of table)
  test(`pod group protection: ${what}; the second decision is empty`, () => {
    const group = asStored<PodGroup>({
      kind: "PodGroup",
      metadata: { name: "g", namespace: "default", finalizers: [podGroupFinalizer, "mine"], ...metadata },
      spec: { schedulingPolicy: { basic: {} } },
    });
    const [after] = carryOut(decide({ group, pods }).actions, [group]) as readonly PodGroup[];
    expect(after?.metadata.finalizers).toEqual(isKept ? [podGroupFinalizer, "mine"] : ["mine"]);
    expect(decide({ group: after!, pods }).actions).toEqual([]);
  });
