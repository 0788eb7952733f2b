// Disruption budgets admit or refuse an eviction.
import { expect, test } from "vitest";
import type { ApiError } from "../../../api/errors.ts";
import { type PodDisruptionBudget, podDisruptionBudgets } from "../../../api/policy/poddisruptionbudgets.ts";
import { instant } from "../../../api/meta.ts";
import { evict, spent } from "../../../apiserver/registry/eviction.ts";

import { pods } from "../../../api/core/pods.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { key } from "../../../api/meta.ts";
import type { Pod } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { objectOf } from "../../../apiserver/registry/codec.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

const now = instant(Date.UTC(2026, 0, 1));
const budget = (status: object, generation = 1): PodDisruptionBudget =>
  ({ metadata: { name: "b", generation }, spec: {}, status: { observedGeneration: 1, ...status } }) as never;
const counts = { currentHealthy: 2, desiredHealthy: 2, expectedPods: 3 };
const refusal = (of: PodDisruptionBudget): object => {
  try {
    return spent(of, "p", now);
  } catch (e) {
    const { reason, message, details } = e as ApiError;
    return { reason, message, details };
  }
};
const full = "Cannot evict pod as it would violate the pod's disruption budget.";

test("an allowed eviction decrements disruptionsAllowed and records the pod", () =>
  expect(spent(budget({ ...counts, disruptionsAllowed: 2 }), "p", now).status).toEqual({
    ...counts,
    observedGeneration: 1,
    disruptionsAllowed: 1,
    disruptedPods: { p: "2026-01-01T00:00:00Z" },
  }));
test("the last allowed eviction sets the condition", () =>
  expect(spent(budget({ ...counts, disruptionsAllowed: 1 }), "p", now).status?.conditions).toEqual([
    {
      type: "DisruptionAllowed",
      status: "False",
      reason: "InsufficientPods",
      message: "",
      lastTransitionTime: "2026-01-01T00:00:00Z",
      observedGeneration: 1,
    },
  ]));
test("an exhausted budget refuses with the required and current pods", () =>
  expect(refusal(budget({ ...counts, disruptionsAllowed: 0 }))).toEqual({
    reason: "TooManyRequests",
    message: full,
    details: {
      causes: [
        { reason: "DisruptionBudget", message: "The disruption budget b needs 2 healthy pods and has 2 currently" },
      ],
    },
  }));
test("a budget with an outdated status refuses until it is processed", () =>
  expect(refusal(budget({ ...counts, disruptionsAllowed: 1 }, 2))).toEqual({
    reason: "TooManyRequests",
    message: full,
    details: {
      causes: [
        { reason: "DisruptionBudget", message: "The disruption budget b is still being processed by the server." },
      ],
      retryAfterSeconds: 10,
    },
  }));

/** A registry with a pod, and a budget that selects it. */
async function withBudget(podStatus: object, budgetSpec: object, budgetStatus: object) {
  const world = { clock: virtualClock(), random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const registry = clusterRegistry(memoryStorage(), world, ranges);
  const [podKind, budgetKind] = [pods, podDisruptionBudgets] as unknown as readonly ResourceDefinition[];
  const create = (kind: unknown, draft: object): Promise<unknown> =>
    registry.create(kind as ResourceDefinition, draft as never);
  const metadata = { name: "default", namespace: "default" };
  await create(namespaces, { kind: "Namespace", metadata: { name: "default" } });
  await create(serviceAccounts, { kind: "ServiceAccount", metadata });
  const labels = { app: "web" };
  const podMetadata = { ...metadata, labels, finalizers: ["example.com/held"] };
  const spec = { nodeName: "node-1", containers: [{ name: "main", image: "app:1" }] };
  await create(pods, { kind: "Pod", metadata: podMetadata, spec });
  await create(podDisruptionBudgets, {
    ...{ kind: "PodDisruptionBudget", metadata, spec: { selector: { matchLabels: labels }, ...budgetSpec } },
  });
  const target = { r: podKind!, key: key("default", "default") };
  const setStatus = (r: ResourceDefinition, status: object): Promise<unknown> =>
    registry.change({ ...target, r, subresource: "status" }, (current) => {
      const { status: before } = current as { readonly status?: object };
      return { ...current, status: { ...before, ...status } } as never;
    });
  await setStatus(podKind!, podStatus);
  await setStatus(budgetKind!, { observedGeneration: 1, ...budgetStatus });
  return {
    ...{ registry, target },
    setPodStatus: (status: object) => setStatus(podKind!, status),
    pod: async (): Promise<Pod> => objectOf<Pod>(await registry.get(podKind!, target.key)),
    budget: async () => objectOf<PodDisruptionBudget>(await registry.get(budgetKind!, target.key)),
  };
}
const running = (ready: "True" | "False") => ({ phase: "Running", conditions: [{ type: "Ready", status: ready }] });
const allowsOne = { ...counts, currentHealthy: 3, disruptionsAllowed: 1 };

test("an eviction that does not describe the pod costs the budget nothing", async () => {
  const { registry, target, pod, budget: current } = await withBudget(running("True"), { minAvailable: 2 }, allowsOne);
  await expect(evict(registry, target, { uid: "of-another" })).rejects.toMatchObject({ reason: "Conflict" });
  expect((await current()).status).toMatchObject({ disruptionsAllowed: 1 });
  expect((await pod()).metadata.deletionTimestamp).toBeUndefined();
});

const races: readonly (readonly [what: string, before: object, spec: object, status: object])[] = [
  ["an unhealthy pod beside enough healthy ones", running("False"), {}, { ...counts, disruptionsAllowed: 0 }],
  [
    "an unhealthy pod under AlwaysAllow",
    running("False"),
    { unhealthyPodEvictionPolicy: "AlwaysAllow" },
    { ...counts, currentHealthy: 1, disruptionsAllowed: 0 },
  ],
  ["a pending pod", { phase: "Pending" }, {}, { ...counts, disruptionsAllowed: 0 }],
];
for (const [what, before, spec, status] of races)
  test(`${what} that becomes healthy during its eviction is not evicted`, async () => {
    const { registry, target, pod, setPodStatus } = await withBudget(before, { minAvailable: 2, ...spec }, status);
    let reads = 0;
    const late: typeof registry = {
      ...registry,
      async get(...of) {
        const read = await registry.get(...of);
        if (reads++ === 0) await setPodStatus(running("True"));
        return read;
      },
    };
    await expect(evict(late, target, {})).rejects.toMatchObject({ reason: "TooManyRequests", message: full });
    expect((await pod()).metadata.deletionTimestamp).toBeUndefined();
    expect((await pod()).status?.conditions?.map((c) => c.type)).not.toContain("DisruptionTarget");
  });

test("a pod that is evicted notes why, and only if the eviction describes it", async () => {
  const world = { clock: virtualClock(), random: seeded(1), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const registry = clusterRegistry(memoryStorage(), world, ranges);
  const [podKind, meta] = [pods as unknown as ResourceDefinition, { name: "default", namespace: "default" }];
  const create = (kind: unknown, draft: object): Promise<unknown> =>
    registry.create(kind as ResourceDefinition, draft as never);
  await create(namespaces, { kind: "Namespace", metadata: { name: "default" } });
  await create(serviceAccounts, { kind: "ServiceAccount", metadata: meta });
  const spec = { nodeName: "node-1", containers: [{ name: "main", image: "app:1" }] };
  await create(pods, { kind: "Pod", metadata: { ...meta, finalizers: ["example.com/held"] }, spec });
  const target = { r: podKind, key: key("default", "default") };
  const pod = async (): Promise<Pod> => objectOf<Pod>(await registry.get(podKind, target.key));
  const { resourceVersion } = (await pod()).metadata;
  await expect(evict(registry, target, { resourceVersion: "1", dryRun: false })).rejects.toMatchObject({
    reason: "Conflict",
  });
  expect((await pod()).metadata.resourceVersion).toBe(resourceVersion);
  await evict(registry, target, { resourceVersion, dryRun: false });
  const { metadata, status } = await pod();
  expect(metadata.deletionTimestamp).toBeDefined();
  expect(status?.conditions?.find((c) => c.type === "DisruptionTarget")).toMatchObject({
    ...{ status: "True", reason: "EvictionByEvictionAPI", message: "Eviction API: evicting" },
  });
});
