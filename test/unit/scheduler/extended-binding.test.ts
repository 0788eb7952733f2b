// The claim for the extended resources of a pod in a running scheduler: made before the pod is bound, deleted when it
// is not.
import { expect, test } from "vitest";
import { pods } from "../../../api/core/pods.ts";
import { ApiError } from "../../../api/errors.ts";
import type { ResourceV1ResourceClaim as ResourceClaim } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import type { Client } from "../../../machinery/client.ts";
import type { World } from "../../../machinery/world.ts";
import { type SchedulerPlugin, unschedulable } from "../../../scheduler/framework.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { gpus, slice } from "./devices.ts";
import { pod, running, type Running } from "./running.ts";

const gpu = "example.com/gpu";
const requesting = (name: string, count = "1") => {
  const amounts = { cpu: "100m", [gpu]: count };
  return pod(name, "100m", {
    containers: [{ name: "c", image: "a:1", resources: { requests: amounts, limits: { [gpu]: count } } }],
  });
};
async function withDevices({ client }: Running, devices = gpus(1)): Promise<void> {
  const deviceClass = { kind: "DeviceClass", metadata: { name: "gpus" }, spec: { extendedResourceName: gpu } };
  await client.create(deviceClasses, deviceClass as never);
  const { spec } = slice("n1", { devices });
  await client.create(resourceSlices, { kind: "ResourceSlice", metadata: { name: "n1" }, spec } as never);
}
const claimsOf = async ({ client }: Running): Promise<readonly ResourceClaim[]> =>
  (await client.list(resourceClaims)).items;
const podOf = ({ client }: Running, name: string) => client.get(pods, key("default", name));

test("a claim is made, allocated and reserved, and the pod is bound", async () => {
  const scheduler = await running([requesting("a", "2")]);
  await withDevices(scheduler, gpus(2));
  await scheduler.until(20);
  await scheduler.client.create(pods, requesting("b"));
  await scheduler.until(40);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1" });
  const [claim, ...others] = await claimsOf(scheduler);
  expect(others).toEqual([]);
  const { metadata, status } = await podOf(scheduler, "a");
  const owner = { apiVersion: "v1", kind: "Pod", name: "a", uid: metadata.uid, controller: true };
  const exactly = { deviceClassName: "gpus", allocationMode: "ExactCount", count: 2 };
  expect(claim).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^a-extended-resources-.{5}$/),
      annotations: { "resource.kubernetes.io/extended-resource-claim": "true" },
      finalizers: ["resource.kubernetes.io/delete-protection"],
    },
    spec: { devices: { requests: [{ name: "container-0-request-1", exactly }] } },
    status: { reservedFor: [{ resource: "pods", name: "a" }] },
  });
  expect(claim?.metadata.ownerReferences).toEqual([owner]);
  expect(claim?.status?.allocation?.devices?.results?.map(({ device }) => device)).toEqual(["gpu-0", "gpu-1"]);
  expect(status?.extendedResourceClaimStatus).toEqual({
    resourceClaimName: claim?.metadata.name,
    requestMappings: [{ containerName: "c", resourceName: gpu, requestName: "container-0-request-1" }],
  });
});

test("the claim is deleted when the pod is not bound, and another is made", async () => {
  const claims: number[] = [];
  let client: Client | undefined;
  const refusing: SchedulerPlugin = {
    name: "Refusing",
    events: [],
    async preBind() {
      claims.push((await client!.list(resourceClaims)).items.length);
      return claims.length === 1 ? unschedulable("not yet") : undefined;
    },
  };
  const scheduler = await running([requesting("a")], { plugins: [...defaultPlugins(), refusing] });
  ({ client } = scheduler);
  await withDevices(scheduler);
  await scheduler.until(600);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1" });
  expect(claims).toEqual([1, 1]);
  expect(await claimsOf(scheduler)).toHaveLength(1);
});

test("the claim is deleted when the pod is not bound at all", async () => {
  let refusals = 0;
  const refusing: SchedulerPlugin = {
    name: "Refusing",
    events: [],
    preBind: async () => (refusals++ < 3 ? unschedulable("not yet") : new Promise(() => {})),
  };
  const scheduler = await running([requesting("a")], { plugins: [...defaultPlugins(), refusing] });
  await withDevices(scheduler);
  const found: number[] = [];
  for (let second = 0; second < 60 && refusals < 3; second++) {
    await scheduler.until(second);
    if (refusals > 0) found.push((await claimsOf(scheduler)).length);
  }
  await scheduler.stop();
  expect(Math.max(...found)).toBe(0);
});

test("a device is allocated to one of two pods, also when claims are seen late", async () => {
  const wire = (client: Client, { clock }: World): Client => ({
    ...client,
    async *watch(r, options, signal) {
      for await (const event of client.watch(r, options, signal)) {
        if (r.kind === "ResourceClaim") await clock.sleep(5_000, signal);
        yield event;
      }
    },
  });
  const scheduler = await running([requesting("a")], { wire });
  await withDevices(scheduler);
  for (let second = 0; second < 20 && (await claimsOf(scheduler)).length === 0; second++) await scheduler.until(second);
  await scheduler.client.create(pods, requesting("b"));
  await scheduler.until(60);
  await scheduler.stop();
  expect(Object.keys(await scheduler.bound())).toHaveLength(1);
  expect(await claimsOf(scheduler)).toHaveLength(1);
});

test("a claim that an earlier scheduler has left is deleted first", async () => {
  const gated = requesting("a");
  const scheduler = await running([
    { ...gated, spec: { ...gated.spec, schedulingGates: [{ name: "wait" }] } as never },
  ]);
  const { metadata } = await podOf(scheduler, "a");
  const owner = { apiVersion: "v1", kind: "Pod", name: "a", uid: metadata.uid, controller: true };
  await scheduler.client.create(resourceClaims, {
    kind: "ResourceClaim",
    metadata: {
      ...{ name: "left", namespace: "default", ownerReferences: [owner] },
      annotations: { "resource.kubernetes.io/extended-resource-claim": "true" },
      finalizers: ["resource.kubernetes.io/delete-protection"],
    },
    spec: { devices: { requests: [{ name: "x", exactly: { deviceClassName: "gpus" } }] } },
  } as never);
  await withDevices(scheduler);
  await scheduler.until(5);
  const waiting = await podOf(scheduler, "a");
  await scheduler.client.update(pods, { ...waiting, spec: { ...waiting.spec, schedulingGates: [] } });
  await scheduler.until(30);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1" });
  expect((await claimsOf(scheduler)).map(({ metadata: { name } }) => name)).toEqual([
    expect.stringMatching(/^a-extended-resources-/),
  ]);
});

test("a claim that cannot be created is the reason why the pod is not bound", async () => {
  let refusals = 0;
  const wire = (client: Client): Client => ({
    ...client,
    async create(r, draft) {
      if (r.kind === "ResourceClaim" && refusals++ === 0) throw new ApiError("Forbidden", "exceeded quota: team");
      return client.create(r, draft);
    },
  });
  const scheduler = await running([requesting("a")], { wire });
  await withDevices(scheduler);
  await scheduler.until(0.5);
  const condition = (await podOf(scheduler, "a")).status?.conditions?.find(({ type }) => type === "PodScheduled");
  expect(condition?.message).toBe(
    'running PreBind plugin "DynamicResources": create claim for extended resources default/: exceeded quota: team',
  );
  await scheduler.until(30);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ a: "n1" });
});
