// Claims for devices on a node: prepared by their driver before the first container, given back after the last.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pods } from "../../api/core/pods.ts";
import type { PodSpec } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { resourceClaims } from "../../api/resource/resourceclaims.ts";
import { type AllocatedClaim, deviceDriver, type DeviceDriverProcess, driverName } from "./device-driver.ts";
import { image, openStage, sh, type Stage, until } from "./kubelet-stage.ts";

let stage: Stage;
let driver: DeviceDriverProcess;
let cdiFolder: string;

const claimOf = async (namespace: string, name: string): Promise<AllocatedClaim> => {
  const { metadata, status } = await stage.client.get(resourceClaims, key(namespace, name));
  return { uid: metadata.uid, devices: status?.allocation?.devices?.results ?? [] };
};
const startDriver = (more: object = {}): Promise<DeviceDriverProcess> =>
  deviceDriver({ stateDir: stage.stateDir, cdiFolder, claim: claimOf, ...more });

beforeEach(async () => {
  cdiFolder = mkdtempSync(join(tmpdir(), "orrery-cdi-"));
  stage = await openStage({ cdiFolders: [cdiFolder] });
});
afterEach(async () => {
  driver?.stop();
  await stage.close();
  rmSync(cdiFolder, { recursive: true });
});

/** A claim for two requests, with a device for each. */
async function allocated(name: string): Promise<void> {
  const exactly = { deviceClassName: "gpus" };
  const requests = ["a", "b"].map((request) => ({ name: request, exactly }));
  const metadata = { name, namespace: "default" };
  const draft = { kind: "ResourceClaim", metadata, spec: { devices: { requests } } };
  const claim = await stage.client.create(resourceClaims, draft as never);
  const results = requests.map((r) => ({ request: r.name, driver: driverName, pool: "n1", device: `gpu-${r.name}` }));
  await stage.client.update(
    resourceClaims,
    { ...claim, status: { allocation: { devices: { results } } } } as never,
    "status",
  );
}
async function reserve(claimName: string, ...podNames: readonly string[]): Promise<void> {
  const claim = await stage.client.get(resourceClaims, key("default", claimName));
  const users = await Promise.all(podNames.map((name) => stage.client.get(pods, key("default", name))));
  const reservedFor = users.map(({ metadata }) => ({ resource: "pods", name: metadata.name, uid: metadata.uid }));
  await stage.client.update(resourceClaims, { ...claim, status: { ...claim.status!, reservedFor } }, "status");
}
const script = sh("echo a=$DEVICE_a b=$DEVICE_b; trap 'exit 0' TERM; while :; do sleep 1; done");
const using = (claims: readonly object[] = [{ name: "gpu" }]): Partial<PodSpec> => ({
  resourceClaims: [{ name: "gpu", resourceClaimName: "one" }],
  containers: [{ name: "c", image, command: script, resources: { claims } }] as unknown as PodSpec["containers"],
});
async function outputOf(pod: string, name = "c"): Promise<string> {
  const { metadata } = (await stage.find(pod))!;
  const signal = new AbortController().signal;
  const run = (await stage.runtime.list(metadata.uid, signal)).containers.find((c) => c.name === name);
  let text = "";
  for await (const line of stage.runtime.logs(run!.id, { follow: false, timestamps: false }, signal)) text += line;
  return text.trim();
}
const remove = async (name: string): Promise<void> => {
  await stage.client.delete(pods, key("default", name), { gracePeriodSeconds: 0 });
  await until(
    () => stage.find(name),
    (found) => found === undefined,
  );
};
const failures = async (pod: string): Promise<readonly string[]> =>
  (await stage.eventsOf(pod)).filter(({ reason }) => reason.startsWith("Failed")).map(({ message }) => message);

/** Resolves once an event of the pod has such a message. */
const failure = (pod: string, message: RegExp): Promise<unknown> =>
  until(
    () => failures(pod),
    (messages) => messages.some((m) => message.test(m)),
  );

test("a container gets the devices of the requests that it names", async () => {
  driver = await startDriver();
  await allocated("one");
  await stage.bind("all", using());
  await stage.bind("some", using([{ name: "gpu", request: "b" }]));
  await stage.bind("none", using([]));
  await reserve("one", "all", "some", "none");
  stage.start();
  for (const name of ["all", "some", "none"]) await stage.ready(name);
  expect(await Promise.all(["all", "some", "none"].map((name) => outputOf(name)))).toEqual([
    "a=gpu-a b=gpu-b",
    "a= b=gpu-b",
    "a= b=",
  ]);
  expect(driver.calls).toEqual(["prepare one"]);
  await remove("all");
  await remove("some");
  expect(driver.calls).toEqual(["prepare one"]);
  await remove("none");
  await until(
    async () => driver.calls,
    (calls) => calls.length > 1,
  );
  expect(driver.calls).toEqual(["prepare one", "unprepare one"]);
});

test("a container gets the devices that stand for its extended resources", async () => {
  driver = await startDriver();
  await allocated("one");
  const gpu = { "example.com/gpu": "1" };
  const containers = ["c", "d", "e"].map((name) => ({
    ...{ name, image, command: script },
    ...(name !== "e" && { resources: { requests: gpu, limits: gpu } }),
  }));
  await stage.bind("p", { containers } as unknown as PodSpec);
  await reserve("one", "p");
  const mapping = (containerName: string, requestName: string) => ({
    ...{ containerName, requestName, resourceName: "example.com/gpu" },
  });
  const requestMappings = [mapping("c", "a"), mapping("d", "b")];
  const status = { extendedResourceClaimStatus: { resourceClaimName: "one", requestMappings } };
  await stage.client.patch(pods, key("default", "p"), { type: "strategic", patch: { status } }, "status");
  stage.start();
  await stage.ready("p");
  expect(await Promise.all(["c", "d", "e"].map((name) => outputOf("p", name)))).toEqual([
    "a=gpu-a b=",
    "a= b=gpu-b",
    "a= b=",
  ]);
  await remove("p");
  await until(
    async () => driver.calls,
    (calls) => calls.length > 1,
  );
  expect(driver.calls).toEqual(["prepare one", "unprepare one"]);
});

test("a driver of the beta version", async () => {
  driver = await startDriver({ version: "v1beta1.DRAPlugin" });
  await allocated("one");
  await stage.bind("p", using());
  await reserve("one", "p");
  stage.start();
  await stage.ready("p");
  expect(await outputOf("p")).toBe("a=gpu-a b=gpu-b");
});

test("a pod waits until its claim is reserved for it and the driver is there", async () => {
  await allocated("one");
  await stage.bind("p", using());
  stage.start();
  await failure("p", /prepare dynamic resources: pod p \(.*\) is not allowed to use ResourceClaim one \(.*\)$/);
  await reserve("one", "p");
  await failure("p", new RegExp(`DRA driver ${driverName} is not registered$`));
  driver = await startDriver();
  await stage.ready("p");
});

test("the driver's error is in an event, and the call is repeated", async () => {
  driver = await startDriver();
  driver.failWith("no power");
  await allocated("one");
  await stage.bind("p", using());
  await reserve("one", "p");
  stage.start();
  await failure(
    "p",
    /^Failed to prepare dynamic resources: .*: NodePrepareResources failed for ResourceClaim one: no power$/,
  );
  driver.failWith(undefined);
  await stage.ready("p");
});

test("a restarted kubelet knows what was prepared, and gives it back", async () => {
  driver = await startDriver();
  await allocated("one");
  await stage.bind("p", using());
  await reserve("one", "p");
  stage.start();
  await stage.ready("p");
  await stage.stop();
  expect(JSON.parse(readFileSync(join(stage.stateDir, "dra_manager_state"), "utf8"))).toMatchObject({
    version: "v1",
    claims: [{ namespace: "default", name: "one", drivers: [driverName] }],
  });
  // The pod is removed while the kubelet is away.
  const { metadata } = (await stage.find("p"))!;
  await stage.client.delete(pods, key("default", "p"), { uid: metadata.uid, gracePeriodSeconds: 0 });
  stage.start();
  await until(
    async () => driver.calls,
    (calls) => calls.includes("unprepare one"),
  );
  expect(driver.calls).toEqual(["prepare one", "unprepare one"]);
});

test("what the engine cannot do for a device is refused", async () => {
  driver = await startDriver({ edits: { hooks: [{ hookName: "createRuntime", path: "/bin/true" }] } });
  await allocated("one");
  await stage.bind("p", using([{ name: "gpu", request: "a" }]));
  await reserve("one", "p");
  stage.start();
  await failure("p", /^Error: CDI device injection failed: .*: hooks are not supported by the container engine$/);
});
