// Claims for devices that are refused for their selectors or their namespace, and reports about devices given back.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { beforeEach, expect, test } from "vitest";
import { namespaces } from "../../../api/core/namespaces.ts";
import type {
  DeviceClass,
  ResourceSlice,
  ResourceV1ResourceClaim as ResourceClaim,
} from "../../../api/generated/types.ts";
import type { Draft } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { resourceClaims, resourceClaimTemplates } from "../../../api/resource/resourceclaims.ts";
import { resourceSlices } from "../../../api/resource/resourceslices.ts";
import type { Client } from "../../../machinery/client.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

let client: Client;
beforeEach(async () => {
  const world = { clock: virtualClock(), random: seeded(1), log: () => {} };
  client = await bootstrappedClient(world);
  const metadata = { name: "admins", labels: { "resource.kubernetes.io/admin-access": "true" } };
  await client.create(namespaces, { kind: "Namespace", metadata, spec: {} } as never);
});

const selectors = (expression: string) => [{ cel: { expression } }];
const claim = (exactly: object, namespace = "default"): Draft<ResourceClaim> =>
  ({
    kind: "ResourceClaim",
    metadata: { name: "gpu", namespace },
    spec: { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpus", ...exactly } }] } },
  }) as unknown as Draft<ResourceClaim>;
const created = (draft: Draft<ResourceClaim>): Promise<string> =>
  client.create(resourceClaims, draft).then(
    () => "created",
    (e: Error) => e.message,
  );

const list = `[${Array.from({ length: 100 }, (_, i) => i).join(",")}]`;
const long = `${list}.all(a, ${list}.all(b, ${list}.all(c, ${list}.all(d, a + b + c + d > 0))))`;
const field = "spec.devices.requests[0].exactly.selectors[0].cel.expression";
test.each([
  ['device.driver == "gpu.example.com"', "created"],
  ["device.driver", `${field}: Invalid value: "device.driver": must evaluate to bool or the unknown type, not string`],
  [
    "nothing",
    `${field}: Invalid value: "nothing": compilation failed: ERROR: <input>:1:1: undeclared reference to 'nothing' (in container '')\n | nothing\n | ^`,
  ],
  [long, `${field}: Forbidden: too complex, exceeds cost limit`],
])("a claim with the selector %s", async (expression, expected) => {
  const message = await created(claim({ selectors: selectors(expression) }));
  expect(message.replace('ResourceClaim.resource.k8s.io "gpu" is invalid: ', "")).toBe(expected);
});

test("templates and classes are validated too", async () => {
  const { spec } = claim({ selectors: selectors("nothing") });
  const metadata = { name: "gpu", namespace: "default" };
  await expect(
    client.create(resourceClaimTemplates, { kind: "ResourceClaimTemplate", metadata, spec: { spec } } as never),
  ).rejects.toThrow("spec.spec.devices.requests[0].exactly.selectors[0].cel.expression: Invalid value");
  const deviceClass = { kind: "DeviceClass", metadata: { name: "gpus" }, spec: { selectors: selectors("true") } };
  const stored = await client.create(deviceClasses, deviceClass as unknown as Draft<DeviceClass>);
  await expect(client.update(deviceClasses, { ...stored, spec: { selectors: selectors("nothing") } })).rejects.toThrow(
    "spec.selectors[0].cel.expression: Invalid value",
  );
});

test("access as an administrator needs the label of the namespace", async () => {
  expect(await created(claim({ adminAccess: true }))).toBe(
    'ResourceClaim.resource.k8s.io "gpu" is invalid: spec.devices.requests[0].adminAccess: Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace',
  );
  expect(await created(claim({ adminAccess: true }, "admins"))).toBe("created");
});

test("what drivers report about a device goes with its allocation", async () => {
  const stored = await client.create(resourceClaims, claim({}));
  const device = { driver: "gpu.example.com", pool: "n1", device: "gpu-0" };
  const allocation = { devices: { results: [{ request: "gpu", ...device }] } };
  const allocated = await client.update(resourceClaims, { ...stored, status: { allocation } }, "status");
  const reported = await client.update(
    resourceClaims,
    { ...allocated, status: { allocation, devices: [device] } },
    "status",
  );
  expect(reported.status?.devices).toHaveLength(1);
  const { allocation: _, ...rest } = reported.status ?? {};
  const deallocated = await client.update(resourceClaims, { ...reported, status: rest }, "status");
  expect(deallocated.status?.devices).toBeUndefined();
});

test("a taint of a device has the time at which it was added", async () => {
  const pool = { name: "n1", generation: 1, resourceSliceCount: 1 };
  const taints = [
    { key: "a", effect: "NoExecute" },
    { key: "b", effect: "NoSchedule", timeAdded: "2025-01-01T00:00:00Z" },
  ];
  const spec = { driver: "gpu.example.com", nodeName: "n1", pool, devices: [{ name: "d", taints }, { name: "e" }] };
  const made = await client.create(resourceSlices, {
    kind: "ResourceSlice",
    metadata: { name: "s" },
    spec,
  } as unknown as Draft<ResourceSlice>);
  const times = made.spec.devices?.map((device) => (device.taints ?? []).map(({ timeAdded }) => timeAdded));
  expect(times).toEqual([["2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z"], []]);
});
