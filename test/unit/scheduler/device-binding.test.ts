// Claims for devices in a running scheduler: allocated and reserved before the pod is bound, given back when it is not.
import { expect, test } from "vitest";
import { events } from "../../../api/core/events.ts";
import { pods } from "../../../api/core/pods.ts";
import type { ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import { ApiError } from "../../../api/errors.ts";
import type { Client } from "../../../machinery/client.ts";
import type { SchedulerPlugin } from "../../../scheduler/framework.ts";
import { unschedulable } from "../../../scheduler/framework.ts";
import { defaultPlugins, pluginsWith } from "../../../scheduler/plugins/default.ts";
import { gpus, slice } from "./devices.ts";
import { pod, running, type Running } from "./running.ts";

const args = { scoring: { type: "MostAllocated" } } as const;
const using = (name: string, claim: string) =>
  pod(name, "100m", { resourceClaims: [{ name: "gpu", resourceClaimName: claim }] });
async function withDevices(scheduler: Running, claims: readonly string[], devices = gpus(1)): Promise<void> {
  const { client } = scheduler;
  await client.create(deviceClasses, { kind: "DeviceClass", metadata: { name: "gpus" }, spec: {} } as never);
  const { spec } = slice("n1", { devices });
  await client.create(resourceSlices, { kind: "ResourceSlice", metadata: { name: "n1" }, spec } as never);
  for (const name of claims)
    await client.create(resourceClaims, {
      kind: "ResourceClaim",
      metadata: { name, namespace: "default" },
      spec: { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus" } }] } },
    } as never);
}
const claimOf = ({ client }: Running, name: string): Promise<ResourceClaim> =>
  client.get(resourceClaims, key("default", name));

test("a claim is allocated and reserved, and the pod is bound", async () => {
  const scheduler = await running([using("a", "one"), using("b", "two"), using("c", "one")]);
  await withDevices(scheduler, ["one", "two"]);
  await scheduler.until(20);
  expect(await scheduler.bound()).toEqual({ a: "n1", c: "n1" });
  const { metadata, status } = await claimOf(scheduler, "one");
  expect(metadata.finalizers).toEqual(["resource.kubernetes.io/delete-protection"]);
  expect(status).toMatchObject({
    allocation: {
      allocationTimestamp: expect.any(String),
      devices: { results: [{ request: "gpu", driver: "gpu.example.com", pool: "n1", device: "gpu-0" }] },
      nodeSelector: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }],
      },
    },
    reservedFor: [
      { resource: "pods", name: "a" },
      { resource: "pods", name: "c" },
    ],
  });
  // The device is given back: the pod that waits for one gets it.
  const one = await claimOf(scheduler, "one");
  await scheduler.client.update(resourceClaims, { ...one, status: {} }, "status");
  await scheduler.until(40);
  expect(await scheduler.bound()).toEqual({ a: "n1", b: "n1", c: "n1" });
  await scheduler.stop();
});

test("an allocation whose outcome is unknown is written once", async () => {
  let lost = 0;
  const wire = (client: Client): Client => ({
    ...client,
    async update(r, object, subresource) {
      const result = await client.update(r, object, subresource);
      if (r.kind === "ResourceClaim" && lost++ < 2) throw new ApiError("Timeout", "lost");
      return result;
    },
  });
  const scheduler = await running([using("a", "one")], { wire });
  await withDevices(scheduler, ["one"]);
  await scheduler.until(30);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1" });
  expect((await claimOf(scheduler, "one")).status?.reservedFor).toHaveLength(1);
});

test("a reservation is taken back when the pod is not bound", async () => {
  let refusals = 0;
  const refusing: SchedulerPlugin = {
    name: "Refusing",
    events: [],
    preBind: async () => (refusals++ === 0 ? unschedulable("not yet") : undefined),
  };
  const scheduler = await running([using("a", "one")], { plugins: [...defaultPlugins(), refusing] });
  await withDevices(scheduler, ["one"]);
  await scheduler.until(5);
  expect((await claimOf(scheduler, "one")).status?.reservedFor ?? []).toEqual([]);
  await scheduler.stop();
});

const conditions = { bindingConditions: ["ready"], bindingFailureConditions: ["broken"] };
const report = async ({ client }: Running, type: string): Promise<void> => {
  const claim = await client.get(resourceClaims, key("default", "one"));
  const condition = {
    type,
    status: "True",
    reason: "Driver",
    message: "m",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const device = { driver: "gpu.example.com", pool: "n1", device: "gpu-0", conditions: [condition] };
  await client.update(resourceClaims, { ...claim, status: { ...claim.status, devices: [device] } } as never, "status");
};

const eventsOf = async ({ client }: Running, reason: string): Promise<readonly string[]> =>
  (await client.list(events)).items.filter((event) => event.reason === reason).map(({ message = "" }) => message);

test("the pod is bound once its devices are prepared", async () => {
  const scheduler = await running([using("a", "one")]);
  await withDevices(scheduler, ["one"], gpus(1, conditions));
  await scheduler.until(60);
  expect(await scheduler.bound()).toEqual({});
  expect(await eventsOf(scheduler, "BindingConditionsPending")).toEqual([
    "waiting for binding conditions for device on node n1",
  ]);
  await report(scheduler, "ready");
  await scheduler.until(61);
  expect(await scheduler.bound()).toEqual({ a: "n1" });
  await scheduler.stop();
});

test("devices that cannot be prepared are released", async () => {
  const scheduler = await running([using("a", "one")]);
  await withDevices(scheduler, ["one"], [...gpus(1, conditions)]);
  await scheduler.until(10);
  await report(scheduler, "broken");
  await scheduler.until(12);
  const { status } = await scheduler.client.get(pods, key("default", "a"));
  expect(status?.conditions?.find(({ type }) => type === "PodScheduled")?.message).toMatch(
    /deallocation of ResourceClaim completed|device binding failed: claim=one, reason=Driver, message="m"/,
  );
  await scheduler.until(60);
  expect((await claimOf(scheduler, "one")).status?.devices).toBeUndefined();
  await scheduler.stop();
});

test("devices that are not prepared in time are released, and their next allocation has its own time", async () => {
  const scheduler = await running([using("a", "one")], {
    plugins: pluginsWith({ ...args, deviceBindingTimeoutMs: 30_000 }),
  });
  await withDevices(scheduler, ["one"], gpus(1, conditions));
  const timestampOf = async () => (await claimOf(scheduler, "one")).status?.allocation?.allocationTimestamp;
  await scheduler.until(29);
  const first = await timestampOf();
  await scheduler.until(50);
  expect(await eventsOf(scheduler, "FailedScheduling")).toContainEqual(
    'running PreBind plugin "DynamicResources": device binding timeout: claim=one',
  );
  expect((await timestampOf())! > first!).toBe(true);
  await report(scheduler, "ready");
  await scheduler.until(52);
  expect(await scheduler.bound()).toEqual({ a: "n1" });
  await scheduler.stop();
});
