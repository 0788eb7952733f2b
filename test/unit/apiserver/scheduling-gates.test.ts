// A pod created with scheduling gates has the condition PodScheduled=False (KEP-3521).
import { expect, test } from "vitest";
import { type Pod, pods } from "../../../api/core/pods.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject, Draft } from "../../../api/meta.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { objectOf } from "../../../apiserver/registry/codec.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { realWorld } from "../../../machinery/real-world.ts";

/** The stored pod. */
async function created(pod: object): Promise<Pod> {
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const world = realWorld(() => {});
  const registry = clusterRegistry(memoryStorage(), world, ranges);
  const create = async (r: object, draft: object): Promise<ApiObject> =>
    objectOf(await registry.create(r as ResourceDefinition, draft as Draft<ApiObject>, { manager: "kubectl" }));
  await create(namespaces, { metadata: { name: "default" } });
  await create(serviceAccounts, { metadata: { name: "default", namespace: "default" } });
  return (await create(pods, { metadata: { name: "web", namespace: "default" }, ...pod })) as Pod;
}
const containers = [{ name: "main", image: "app:1" }];
const gated = {
  type: "PodScheduled",
  status: "False",
  reason: "SchedulingGated",
  message: "Scheduling is blocked due to non-empty scheduling gates",
};

test.each([
  ["one gate", { schedulingGates: [{ name: "a.com/quota" }] }, [gated]],
  ["two gates", { schedulingGates: [{ name: "a.com/quota" }, { name: "b.com/quota" }] }, [gated]],
  ["an empty list of gates", { schedulingGates: [] }, undefined],
  ["no gates", {}, undefined],
])("a pod with %s", async (_case, spec, conditions) => {
  const { status } = await created({ spec: { containers, ...spec } });
  expect(status).toMatchObject({ phase: "Pending", qosClass: "BestEffort" });
  expect(status?.conditions).toEqual(conditions);
});

test("the server sets the condition, ignores a status in the request, and records no manager for it", async () => {
  const status = { conditions: [{ type: "PodScheduled", status: "True" }], phase: "Running" };
  const pod = await created({ spec: { containers, schedulingGates: [{ name: "a.com/quota" }] }, status });
  expect(pod.status).toEqual({ phase: "Pending", qosClass: "BestEffort", conditions: [gated] });
  expect(JSON.stringify(pod.metadata.managedFields)).not.toContain("f:status");
});
