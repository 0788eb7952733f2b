// Disruption budgets: allowed disruptions by their pods and the scale of the pods' controllers.
import { expect, test } from "vitest";
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from "../../../api/generated/types.ts";
import { decide, type Observed, type Scale } from "../../../controllers/disruption/controller.ts";
import { ago, asStored, carryOut, now, pod } from "./world.ts";

const budget = (spec: object, status: Partial<PodDisruptionBudgetStatus> = {}): PodDisruptionBudget =>
  asStored<PodDisruptionBudget>({
    kind: "PodDisruptionBudget",
    metadata: { name: "b", namespace: "default", generation: 3 },
    spec: { selector: { matchLabels: { app: "web" } }, ...spec },
    status,
  });
const of = (uid: string, name: string, more: Parameters<typeof pod>[1] = {}): Pod =>
  pod(name, {
    ...more,
    metadata: {
      ownerReferences: [{ apiVersion: "v1", kind: "K", name: uid, uid, controller: true }],
      ...more.metadata,
    },
  });
const web = (count: number, more: Parameters<typeof pod>[1] = {}): readonly Pod[] =>
  Array.from({ length: count }, (_, i) => of("web", `p${i}`, more));
const scales: Readonly<Record<string, number>> = { web: 4, db: 6 };
const observed = (of: PodDisruptionBudget, pods: readonly Pod[]): Observed => ({
  budget: of,
  pods,
  scaleOf: ({ uid }): Scale | undefined => (scales[uid] === undefined ? undefined : { uid, replicas: scales[uid] }),
});

const rows: readonly (readonly [what: string, spec: object, pods: readonly Pod[], summary: string])[] = [
  ["minAvailable as a number", { minAvailable: 2 }, web(3), "1 allowed: 3 healthy, 2 needed of 3"],
  ["no disruption with too few healthy pods", { minAvailable: 3 }, web(2), "0 allowed: 2 healthy, 3 needed of 2"],
  [
    "unready pods are not healthy",
    { minAvailable: 1 },
    [...web(1), of("web", "sick", { ready: false })],
    "0 allowed: 1 healthy, 1 needed of 2",
  ],
  [
    "minAvailable as a percentage of the desired pods, rounded up",
    { minAvailable: "60%" },
    web(4),
    "1 allowed: 4 healthy, 3 needed of 4",
  ],
  ["maxUnavailable as a number", { maxUnavailable: 1 }, web(3), "0 allowed: 3 healthy, 3 needed of 4"],
  ["maxUnavailable as a percentage", { maxUnavailable: "50%" }, web(4), "2 allowed: 4 healthy, 2 needed of 4"],
  ["maxUnavailable of 100 percent", { maxUnavailable: "100%" }, web(4), "4 allowed: 4 healthy, 0 needed of 4"],
  [
    "the scales of two controllers are added",
    { maxUnavailable: 1 },
    [...web(4), of("db", "d")],
    "0 allowed: 5 healthy, 9 needed of 10",
  ],
  [
    "a pod without a controller",
    { maxUnavailable: 0 },
    [...web(1), pod("alone")],
    "0 allowed: 2 healthy, 4 needed of 4",
  ],
  ["no pods", { minAvailable: 0 }, [], "0 allowed: 0 healthy, 0 needed of 0"],
  ["a budget without limits", {}, web(2), "0 allowed: 2 healthy, 0 needed of 0"],
  [
    "a terminating pod is not healthy",
    { minAvailable: 1 },
    [...web(1), of("web", "going", { metadata: { deletionTimestamp: ago(1) } })],
    "0 allowed: 1 healthy, 1 needed of 2",
  ],
];
const summaryOf = (status: PodDisruptionBudgetStatus): string =>
  `${status.disruptionsAllowed} allowed: ${status.currentHealthy} healthy, ${status.desiredHealthy} needed of ${status.expectedPods}`;

for (const [what, spec, pods, summary] of rows)
  test(`disruption: ${what}; the second decision is empty`, () => {
    const before = budget(spec);
    const { actions } = decide(observed(before, pods), now);
    const [after] = carryOut(actions, [before]) as readonly PodDisruptionBudget[];
    expect(summaryOf(after!.status!)).toBe(summary);
    const [condition] = after!.status!.conditions!;
    const enough = after!.status!.disruptionsAllowed! > 0;
    expect(condition).toMatchObject({
      type: "DisruptionAllowed",
      status: enough ? "True" : "False",
      reason: enough ? "SufficientPods" : "InsufficientPods",
      observedGeneration: 3,
    });
    expect(after!.status!.observedGeneration).toBe(3);
    expect(decide(observed(after!, pods), now).actions).toEqual([]);
  });

test("disruption: a pod with an unknown controller allows no disruption", () => {
  const before = budget({ maxUnavailable: 1 }, { disruptionsAllowed: 5, observedGeneration: 2 });
  const [after] = carryOut(decide(observed(before, [of("lost", "p")]), now).actions, [
    before,
  ]) as readonly PodDisruptionBudget[];
  expect(after?.status).toMatchObject({ disruptionsAllowed: 0, observedGeneration: 2 });
  expect(after?.status?.conditions).toMatchObject([
    { status: "False", reason: "SyncFailed", message: 'found no controllers for pod "p"' },
  ]);
});

test("disruption: a pod that has the name of an evicted one, and was created later, is not disrupted", () => {
  const [status] = [{ disruptedPods: { p0: ago(30) } }];
  const { actions } = decide(
    observed(budget({ minAvailable: 1 }, status), web(3, { metadata: { creationTimestamp: ago(20) } })),
    now,
  );
  expect(actions).toMatchObject([{ status: { currentHealthy: 3, disruptionsAllowed: 2 } }]);
  expect(actions[0]).not.toHaveProperty("status.disruptedPods.p0");
});
test("disruption: a pod being evicted counts as disrupted for two minutes", () => {
  const disruptedPods = { p0: ago(30), p1: ago(150), gone: ago(10) };
  const { actions, requeueAfter } = decide(
    observed(budget({ minAvailable: 1 }, { disruptedPods }), web(3, { metadata: { creationTimestamp: ago(300) } })),
    now,
  );
  expect(actions).toMatchObject([
    { status: { currentHealthy: 2, disruptionsAllowed: 1, disruptedPods: { p0: disruptedPods.p0 } } },
  ]);
  expect(requeueAfter).toBe(90_001);
});
