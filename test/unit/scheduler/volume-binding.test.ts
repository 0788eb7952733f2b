// Pods with claims in a running scheduler: what is reserved for a pod is taken, what is written makes the binder and
// provisioners act, and the pod is bound once its claims are.
import { expect, test } from "vitest";
import { events } from "../../../api/core/events.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { bindCompleted, selectedNode } from "../../../api/core/volume-matching.ts";
import { ApiError } from "../../../api/errors.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../api/generated/types.ts";
import { type ApiObject, type Draft, key } from "../../../api/meta.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import type { Client } from "../../../machinery/client.ts";
import type { World } from "../../../machinery/world.ts";
import { type SchedulerPlugin, unschedulable } from "../../../scheduler/framework.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { pod, running, type Running } from "./running.ts";
import { claim, mounts, reachableFrom, storageClass, volume } from "./storage.ts";

const noProvisioner = { provisioner: "kubernetes.io/no-provisioner" };
const using = (name: string, ...claimNames: readonly string[]) => pod(name, "10m", { volumes: mounts(...claimNames) });
const claimKey = key("default", "data");
const claimNamed = ({ client }: Running, name = "data") => client.get(persistentVolumeClaims, key("default", name));
const volumeNamed = ({ client }: Running, name: string) => client.get(persistentVolumes, key(undefined, name));
const condition = async ({ client }: Running, name: string) =>
  conditionOf((await client.get(pods, key("default", name))).status?.conditions, "PodScheduled");
/** The messages of events. */
const messages = async ({ client }: Running) => (await client.list(events)).items.map((e) => e.message);
/** How long a step of the scheduler takes at most. */
const moment = 0.5;

/** An object before it is stored. */
function draft<T extends ApiObject>({
  metadata: { uid: _, resourceVersion: __, ...metadata },
  ...object
}: T): Draft<T> {
  return { ...object, metadata } as unknown as Draft<T>;
}
/** Volumes are made available, as the binder does. */
async function addVolumes(client: Client, ...volumes: readonly PersistentVolume[]): Promise<void> {
  for (const each of volumes) {
    const created = await client.create(persistentVolumes, draft(each));
    await client.update(persistentVolumes, { ...created, status: { phase: "Available" } }, "status");
  }
}
/** The binder's part: the claim refers to the volume, and is bound. */
async function bindTo(client: Client, name: string, volumeName: string): Promise<void> {
  const found = await client.get(persistentVolumeClaims, key("default", name));
  const annotations = { ...found.metadata.annotations, [bindCompleted]: "yes" };
  await client.update(persistentVolumeClaims, {
    ...found,
    metadata: { ...found.metadata, annotations },
    spec: { ...found.spec, volumeName },
  });
}
interface Stage {
  readonly volumes?: readonly PersistentVolume[];
  readonly claims?: readonly PersistentVolumeClaim[];
  readonly pods?: readonly ReturnType<typeof pod>[];
  readonly classOptions?: object;
  readonly plugins?: readonly SchedulerPlugin[];
  readonly wire?: (client: Client, world: World) => Client;
}
/** Counts the writes of claims and volumes, and those that are refused. Writes take a while, and so do watches. */
function observed(lagMs = 0) {
  const writes = { sent: 0, refused: 0 };
  const wire = (client: Client, { clock }: World): Client => ({
    ...client,
    async update(resource, object, subresource) {
      const counts = [persistentVolumeClaims, persistentVolumes].includes(resource as never);
      if (counts) writes.sent++;
      if (counts && lagMs > 0) await clock.sleep(lagMs);
      return client.update(resource, object, subresource).catch((e: unknown) => {
        if (counts) writes.refused++;
        throw e;
      });
    },
    async *watch(resource, options, signal) {
      for await (const event of client.watch(resource, options, signal)) {
        if (lagMs > 0 && (resource as object) !== pods) await clock.sleep(lagMs, signal);
        yield event;
      }
    },
  });
  return { writes, wire };
}
async function started(stage: Stage): Promise<Running> {
  const { classOptions = {}, plugins = defaultPlugins(), wire = (client) => client } = stage;
  const scheduler = await running([], { plugins, wire });
  const { client } = scheduler;
  await client.create(storageClasses, draft(storageClass("wait", classOptions)));
  await addVolumes(client, ...(stage.volumes ?? []));
  for (const each of stage.claims ?? [claim("data")]) await client.create(persistentVolumeClaims, draft(each));
  for (const each of stage.pods ?? [using("p", "data")]) await client.create(pods, each);
  return scheduler;
}

test("a volume that exists is reserved, and the pod waits until the binder is done", async () => {
  const sharing = [using("p", "data"), using("q", "data")];
  const { writes, wire } = observed();
  const scheduler = await started({ classOptions: noProvisioner, volumes: [volume("v")], pods: sharing, wire });
  await scheduler.until(1);
  const { metadata, spec } = await volumeNamed(scheduler, "v");
  expect(metadata.annotations).toEqual({ "pv.kubernetes.io/bound-by-controller": "yes" });
  expect(spec.claimRef).toMatchObject({ name: "data", uid: (await claimNamed(scheduler)).metadata.uid });
  await scheduler.until(300);
  expect(await scheduler.bound()).toEqual({});
  await bindTo(scheduler.client, "data", "v");
  await scheduler.until(300 + moment);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1", q: "n1" });
  expect(writes).toEqual({ sent: 1, refused: 0 });
});

test("two pods in a row do not get the same volume", async () => {
  const names = ["one", "two", "three"];
  const scheduler = await started({
    classOptions: noProvisioner,
    volumes: [volume("v"), volume("w")],
    claims: names.map((name) => claim(name)),
    pods: names.map((name) => using(name, name)),
  });
  await scheduler.until(1);
  const references = await Promise.all(
    ["v", "w"].map(async (name) => (await volumeNamed(scheduler, name)).spec.claimRef?.name),
  );
  expect(references).toEqual(["one", "two"]);
  expect((await condition(scheduler, "three"))?.message).toMatch(
    /^0\/1 nodes are available: 1 node\(s\) didn't find available persistent volumes to bind\./,
  );
  await addVolumes(scheduler.client, volume("x"));
  await scheduler.until(3);
  expect((await volumeNamed(scheduler, "x")).spec.claimRef?.name).toBe("three");
  await scheduler.stop();
});

test("what is reserved for a pod that a later plugin rejects is given back", async () => {
  const picky: SchedulerPlugin = {
    name: "Picky",
    events: [],
    permit: (_, { pod: { metadata } }) => (metadata.name === "one" ? unschedulable("no") : undefined),
  };
  const scheduler = await started({
    classOptions: noProvisioner,
    volumes: [volume("v")],
    claims: [claim("one"), claim("two")],
    pods: [using("one", "one"), using("two", "two")],
    plugins: [...defaultPlugins(), picky],
  });
  await scheduler.until(1);
  await scheduler.stop();
  expect((await volumeNamed(scheduler, "v")).spec.claimRef?.name).toBe("two");
});

test("decisions are right while views lag behind the writes", async () => {
  const { writes, wire } = observed(300);
  const scheduler = await started({
    classOptions: noProvisioner,
    volumes: [volume("v"), volume("w")],
    claims: ["one", "two", "three"].map((name) => claim(name)),
    pods: [using("one", "one")],
    wire,
  });
  await scheduler.until(5);
  await scheduler.client.create(pods, using("two", "two"));
  await scheduler.until(5.4);
  // The write is done, and not seen.
  await scheduler.client.delete(pods, key("default", "two"), { gracePeriodSeconds: 0 });
  await scheduler.client.create(pods, using("three", "three"));
  await addVolumes(scheduler.client, volume("x"));
  await scheduler.until(20);
  await scheduler.stop();
  const references = ["v", "w", "x"].map(async (name) => (await volumeNamed(scheduler, name)).spec.claimRef?.name);
  expect(await Promise.all(references)).toEqual(["one", "two", "three"]);
  expect(writes).toEqual({ sent: 3, refused: 0 });
});

test("a write that fails gives the volume back, and the pod is tried again", async () => {
  let failures = 1;
  const wire = (client: Client): Client => ({
    ...client,
    update: (resource, object, subresource) =>
      (resource as object) === persistentVolumes && failures-- > 0
        ? Promise.reject(new ApiError("Conflict", "changed"))
        : client.update(resource, object, subresource),
  });
  const scheduler = await started({ classOptions: noProvisioner, volumes: [volume("v")], wire });
  await scheduler.until(3);
  await bindTo(scheduler.client, "data", "v");
  await scheduler.until(3 + moment);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1" });
});

test("a pod that waits for a volume gets the one that is given back", async () => {
  const first = Promise.withResolvers<never>();
  let writes = 0;
  const wire = (client: Client): Client => ({
    ...client,
    update: (resource, object, subresource) =>
      (resource as object) === persistentVolumes && writes++ === 0
        ? first.promise
        : client.update(resource, object, subresource),
  });
  const scheduler = await started({
    classOptions: noProvisioner,
    volumes: [volume("v")],
    claims: [claim("one"), claim("two")],
    pods: [using("one", "one"), using("two", "two")],
    wire,
  });
  await scheduler.until(1);
  expect((await condition(scheduler, "two"))?.message).toMatch(/didn't find available persistent volumes to bind/);
  await scheduler.client.delete(pods, key("default", "one"), { gracePeriodSeconds: 0 });
  first.reject(new ApiError("Conflict", "changed"));
  await scheduler.until(3);
  await scheduler.stop();
  expect((await volumeNamed(scheduler, "v")).spec.claimRef?.name).toBe("two");
});

test("a claim names its node to the provisioner, and pods that share it wait for the same volume", async () => {
  const { writes, wire } = observed(100);
  const scheduler = await started({ pods: [], wire });
  await scheduler.until(1);
  for (const name of ["p", "q"]) await scheduler.client.create(pods, using(name, "data"));
  await scheduler.until(2);
  expect((await claimNamed(scheduler)).metadata.annotations).toMatchObject({ [selectedNode]: "n1" });
  await bindTo(scheduler.client, "data", "made");
  await scheduler.until(3);
  expect([await scheduler.bound(), await messages(scheduler)]).toEqual([{}, []]);
  await addVolumes(scheduler.client, volume("made"));
  await scheduler.until(3 + moment);
  await scheduler.stop();
  expect(writes).toEqual({ sent: 1, refused: 0 });
  expect(await scheduler.bound()).toEqual({ p: "n1", q: "n1" });
});

const withoutNode = { type: "merge", patch: { metadata: { annotations: { [selectedNode]: null } } } } as const;
test("when provisioning fails, the pod is placed again", async () => {
  const scheduler = await started({});
  await scheduler.until(1);
  await scheduler.client.patch(persistentVolumeClaims, claimKey, withoutNode);
  await scheduler.until(1 + moment);
  const message =
    'running PreBind plugin "VolumeBinding": binding volumes: selectedNode annotation reset for PVC "data"';
  expect(await condition(scheduler, "p")).toMatchObject({ status: "False", reason: "SchedulerError", message });
  expect(await messages(scheduler)).toEqual([message]);
  await scheduler.until(4);
  expect((await claimNamed(scheduler)).metadata.annotations).toMatchObject({ [selectedNode]: "n1" });
  await scheduler.stop();
});

test("when the reference of a volume is taken back, the pod is placed again", async () => {
  const scheduler = await started({ classOptions: noProvisioner, volumes: [volume("v")] });
  await scheduler.until(1);
  const patch = { spec: { claimRef: null } };
  await scheduler.client.patch(persistentVolumes, key(undefined, "v"), { type: "merge", patch });
  await scheduler.until(1 + moment);
  expect(await messages(scheduler)).toEqual([
    'running PreBind plugin "VolumeBinding": binding volumes: ClaimRef got reset for pv "v"',
  ]);
  await scheduler.until(4);
  await scheduler.stop();
  expect((await volumeNamed(scheduler, "v")).spec.claimRef?.name).toBe("data");
});

test("a volume that is made out of reach of the node is a failure", async () => {
  const scheduler = await started({});
  await scheduler.until(1);
  await addVolumes(scheduler.client, volume("far", { spec: reachableFrom("elsewhere") }));
  await bindTo(scheduler.client, "data", "far");
  await scheduler.until(1 + moment);
  await scheduler.stop();
  expect(await condition(scheduler, "p")).toMatchObject({
    message: expect.stringContaining('pv "far" node affinity doesn\'t match node "n1": no matching NodeSelectorTerms'),
  });
});

test("a binding that takes ten minutes is given up, and tried again", async () => {
  const scheduler = await started({});
  await scheduler.until(599);
  expect(await condition(scheduler, "p")).toBeUndefined();
  await scheduler.until(602);
  expect(await condition(scheduler, "p")).toMatchObject({
    message: expect.stringContaining("binding volumes: context deadline exceeded"),
  });
  await addVolumes(scheduler.client, volume("late"));
  await bindTo(scheduler.client, "data", "late");
  await scheduler.until(610);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1" });
});

test("a deleted pod gives its room and its volume back", async () => {
  const scheduler = await started({
    classOptions: noProvisioner,
    volumes: [volume("v")],
    pods: [pod("p", "600m", { volumes: mounts("data") }), pod("q", "600m")],
  });
  await scheduler.until(1);
  expect(await scheduler.bound()).toEqual({});
  await scheduler.client.delete(pods, key("default", "p"), { gracePeriodSeconds: 0 });
  await scheduler.until(2);
  expect(await scheduler.bound()).toEqual({ q: "n1" });
  await scheduler.client.create(pods, pod("p", "300m", { volumes: mounts("data") }));
  await bindTo(scheduler.client, "data", "v");
  await scheduler.until(3);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1", q: "n1" });
});

test("when the binding of a deleted pod fails, the pod that has its name now keeps its room", async () => {
  const first = Promise.withResolvers<never>();
  let writes = 0;
  const wire = (client: Client): Client => ({
    ...client,
    update: (resource, object, subresource) =>
      (resource as object) === persistentVolumeClaims && writes++ === 0
        ? first.promise
        : client.update(resource, object, subresource),
  });
  const large = (claimName: string) => pod("p", "600m", { volumes: mounts(claimName) });
  const scheduler = await started({ claims: [claim("data"), claim("logs")], pods: [large("data")], wire });
  await scheduler.until(1);
  await scheduler.client.delete(pods, key("default", "p"), { gracePeriodSeconds: 0 });
  await scheduler.until(2);
  await scheduler.client.create(pods, large("logs"));
  await scheduler.until(3);
  await scheduler.client.create(pods, pod("q", "600m"));
  await scheduler.until(4);
  first.reject(new ApiError("Conflict", "changed"));
  await scheduler.until(20);
  expect(await scheduler.bound()).toEqual({});
  await addVolumes(scheduler.client, volume("made"));
  await bindTo(scheduler.client, "logs", "made");
  await scheduler.until(21);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1" });
});

test("a node that leaves ends the wait", async () => {
  const scheduler = await started({});
  await scheduler.until(1);
  await scheduler.client.delete(nodes, key(undefined, "n1"));
  await scheduler.until(1 + moment);
  await scheduler.stop();
  expect(await condition(scheduler, "p")).toMatchObject({
    message: expect.stringContaining('failed to get node "n1": node "n1" not found'),
  });
});

test("a pod whose claim is made after it is scheduled then", async () => {
  const scheduler = await started({ claims: [], volumes: [volume("v")] });
  await scheduler.until(5);
  expect((await condition(scheduler, "p"))?.message).toMatch(/persistentvolumeclaim "data" not found/);
  await scheduler.client.create(persistentVolumeClaims, draft(claim("data")));
  await scheduler.until(7);
  await bindTo(scheduler.client, "data", "v");
  await scheduler.until(7 + moment);
  await scheduler.stop();
  expect(await scheduler.bound()).toEqual({ p: "n1" });
});

test("a claim that was deleted and made again is not taken for its predecessor, which was bound", async () => {
  let lagMs = 0;
  const wire = (client: Client, { clock }: World): Client => ({
    ...client,
    async *watch(resource, options, signal) {
      for await (const event of client.watch(resource, options, signal)) {
        if ((resource as object) === persistentVolumeClaims) await clock.sleep(lagMs, signal);
        yield event;
      }
    },
  });
  const scheduler = await started({ classOptions: noProvisioner, volumes: [volume("v"), volume("w")], pods: [], wire });
  const { client } = scheduler;
  const v = await volumeNamed(scheduler, "v");
  const { name, uid } = (await claimNamed(scheduler)).metadata;
  const claimRef = { kind: "PersistentVolumeClaim", namespace: "default", name, uid };
  await client.update(persistentVolumes, { ...v, spec: { ...v.spec, claimRef } });
  await bindTo(client, "data", "v");
  await scheduler.until(1);
  lagMs = 20_000;
  const old = await claimNamed(scheduler);
  await client.update(persistentVolumeClaims, { ...old, metadata: { ...old.metadata, finalizers: [] } });
  await client.delete(persistentVolumeClaims, claimKey);
  await client.create(persistentVolumeClaims, draft(claim("data")));
  await client.create(pods, using("p", "data"));
  await scheduler.until(19);
  expect(await scheduler.bound()).toEqual({});
  await scheduler.until(120);
  expect((await volumeNamed(scheduler, "w")).spec.claimRef?.uid).toBe((await claimNamed(scheduler)).metadata.uid);
  await bindTo(client, "data", "w");
  await scheduler.until(180);
  expect(await scheduler.bound()).toEqual({ p: "n1" });
  await scheduler.stop();
});
