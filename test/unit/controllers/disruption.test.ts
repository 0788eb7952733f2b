// What a budget allows, counted from its pods and from who makes them.
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

const rows: readonly (readonly [what: string, spec: object, pods: readonly Pod[], said: string])[] = [
  ["a number has to stay", { minAvailable: 2 }, web(3), "1 allowed: 3 well, 2 needed of 3"],
  ["none can go when too few are well", { minAvailable: 3 }, web(2), "0 allowed: 2 well, 3 needed of 2"],
  [
    "unready ones do not count",
    { minAvailable: 1 },
    [...web(1), of("web", "sick", { ready: false })],
    "0 allowed: 1 well, 1 needed of 2",
  ],
  ["a share is of what is to be, rounded up", { minAvailable: "60%" }, web(4), "1 allowed: 4 well, 3 needed of 4"],
  ["a number may go, of what is to be", { maxUnavailable: 1 }, web(3), "0 allowed: 3 well, 3 needed of 4"],
  ["a share may go", { maxUnavailable: "50%" }, web(4), "2 allowed: 4 well, 2 needed of 4"],
  ["all may go", { maxUnavailable: "100%" }, web(4), "4 allowed: 4 well, 0 needed of 4"],
  ["two makers add up", { maxUnavailable: 1 }, [...web(4), of("db", "d")], "0 allowed: 5 well, 9 needed of 10"],
  [
    "one of nobody's is not made up for",
    { maxUnavailable: 0 },
    [...web(1), pod("alone")],
    "0 allowed: 2 well, 4 needed of 4",
  ],
  ["nobody there allows nothing", { minAvailable: 0 }, [], "0 allowed: 0 well, 0 needed of 0"],
  ["a budget that says nothing allows nothing", {}, web(2), "0 allowed: 2 well, 0 needed of 0"],
  [
    "who goes already is not well",
    { minAvailable: 1 },
    [...web(1), of("web", "going", { metadata: { deletionTimestamp: ago(1) } })],
    "0 allowed: 1 well, 1 needed of 2",
  ],
];
const told = (status: PodDisruptionBudgetStatus): string =>
  `${status.disruptionsAllowed} allowed: ${status.currentHealthy} well, ${status.desiredHealthy} needed of ${status.expectedPods}`;

for (const [what, spec, pods, said] of rows)
  test(`disruption: ${what}, and then there is silence`, () => {
    const given = budget(spec);
    const { actions } = decide(observed(given, pods), now);
    const [after] = carryOut(actions, [given]) as readonly PodDisruptionBudget[];
    expect(told(after!.status!)).toBe(said);
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

test("disruption: a pod whose maker nobody knows makes everything stay", () => {
  const given = budget({ maxUnavailable: 1 }, { disruptionsAllowed: 5, observedGeneration: 2 });
  const [after] = carryOut(decide(observed(given, [of("lost", "p")]), now).actions, [
    given,
  ]) as readonly PodDisruptionBudget[];
  expect(after?.status).toMatchObject({ disruptionsAllowed: 0, observedGeneration: 2 });
  expect(after?.status?.conditions).toMatchObject([
    { status: "False", reason: "SyncFailed", message: 'found no controllers for pod "p"' },
  ]);
});

test("disruption: who is to be evicted is believed to be going, for two minutes", () => {
  const disruptedPods = { p0: ago(30), p1: ago(150), gone: ago(10) };
  const { actions, requeueAfter } = decide(observed(budget({ minAvailable: 1 }, { disruptedPods }), web(3)), now);
  expect(actions).toMatchObject([
    { status: { currentHealthy: 2, disruptionsAllowed: 1, disruptedPods: { p0: disruptedPods.p0 } } },
  ]);
  expect(requeueAfter).toBe(90_001);
});
