// The steps of a run: what is awaited after an eviction, and when a run ends.
import { expect, test } from "vitest";
import { type Instant, instant } from "../../../api/meta.ts";
import type { Pod, PodDisruptionBudget } from "../../../api/generated/types.ts";
import type { Move } from "../../../controllers/descheduler/draft.ts";
import { evicted, nextStep, noProgress, type Progress, refusedBy } from "../../../controllers/descheduler/run.ts";
import { budget, cluster, node, pod, situation } from "./descheduling.ts";
import { now } from "./world.ts";

const nodes = [node("n1"), node("n2")];
const full = pod("full", "n1", { cpu: 600 });
const a = pod("a", "n2", { cpu: 200 });
const b = pod("b", "n2", { cpu: 100, ownerName: "other" });
const loose = budget("loose", "web", 1);
const before = cluster(nodes, [full, a, b], [loose]);

function stepIn(
  pods: readonly Pod[],
  progress: Progress,
  at: Instant = now,
  budgets: readonly PodDisruptionBudget[] = [loose],
): string {
  const step = nextStep({ ...situation(cluster(nodes, pods, budgets)), now: at }, progress);
  return step.do === "evict" ? `evict ${step.move.pod.metadata.name}` : `${step.do}: ${step.because}`;
}
const first = nextStep(situation(before), noProgress) as { readonly move: Move };
const started = evicted(noProgress, first.move, before, now);
const later = (seconds: number): Instant => instant(now + seconds * 1000);
const starting = pod("a2", "n1", { cpu: 200, status: { conditions: [] } });
const ready = pod("a2", "n1", { cpu: 200 });

test("the first pod of the plan is evicted", () => expect(stepIn(before.pods, noProgress)).toBe("evict a"));
test.each<[what: string, pods: readonly Pod[], expected: string]>([
  ["the pod is there", [full, a, b], "wait: default/a is ending"],
  ["nothing has replaced it", [full, b], "wait: the pod that replaces default/a is not ready"],
  ["what replaces it has no node", [full, b, pod("a2", undefined)], "wait: default/a2 has no node yet"],
  ["what replaces it is not ready", [full, b, starting], "wait: the pod that replaces default/a is not ready"],
  ["what replaces it is ready", [full, b, ready], "evict b"],
  ["the other one is gone as well", [full, ready], "end: nothing is left to move"],
])("after an eviction: %s", (_, pods, expected) => expect(stepIn(pods, started, later(1))).toBe(expected));

test("an evicted pod that was not ready is awaited as well", () => {
  const unready = pod("a", "n2", { cpu: 200, status: { conditions: [] } });
  const progress = evicted(noProgress, first.move, cluster(nodes, [full, unready, b]), now);
  expect(stepIn([full, b], progress, later(1))).toBe("wait: the pod that replaces default/a is not ready");
  expect(stepIn([full, b, starting], progress, later(1))).toBe("evict b");
});
test("the budget must allow a disruption again", () =>
  expect(stepIn([full, b, ready], started, later(1), [budget("loose", "web", 0)])).toBe(
    "wait: budget loose allows no disruption yet",
  ));
test("a run ends when what replaces a pod is not ready in time", () => {
  expect(stepIn([full, b, starting], started, later(150))).toMatch(/^wait/);
  expect(stepIn([full, b, starting], started, later(151))).toMatch(/^end: the pod that replaces/);
});
test("a pod whose eviction was refused stays, and so do the others of its node", () =>
  expect(stepIn(before.pods, refusedBy(noProgress, first.move))).toBe("end: nothing is left to move"));
test("limits count the evictions of the run", () => {
  const limits = { perRun: 2, perNode: 2, perNamespace: 2 };
  const step = (progress: Progress) =>
    nextStep({ ...situation(cluster(nodes, [full, ready, b], [loose]), { limits }), now: later(1) }, progress).do;
  expect(step(started)).toBe("evict");
  expect(step({ ...started, done: [...started.done, ...started.done] })).toBe("end");
});
