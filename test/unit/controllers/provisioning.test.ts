// Claims from their creation to the deletion of their volumes, by a driver in memory.
import { expect, test } from "vitest";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { key } from "../../../api/meta.ts";
import { type Cluster, cluster, driverName } from "./provisioning.ts";

const selected = (node: string) => ({ metadata: { annotations: { "volume.kubernetes.io/selected-node": node } } });
const remove = (c: Cluster, name: string) => c.client.delete(persistentVolumeClaims, key("default", name));

test("a claim gets a volume of its class, and both go together", async () => {
  const c = await cluster([], { mountOptions: ["noatime"], parameters: { "csi.storage.k8s.io/fstype": "ext4" } });
  const { metadata } = await c.create("data");
  await c.run(2);
  const name = `pvc-${metadata.uid}`;
  const claim = await c.claim("data");
  expect(claim?.status).toMatchObject({ phase: "Bound", capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"] });
  expect(claim?.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
  expect(claim?.metadata.annotations).toEqual({
    "pv.kubernetes.io/bind-completed": "yes",
    "pv.kubernetes.io/bound-by-controller": "yes",
    "volume.beta.kubernetes.io/storage-provisioner": driverName,
    "volume.kubernetes.io/storage-provisioner": driverName,
  });
  const [volume] = await c.volumes();
  expect(volume?.metadata).toMatchObject({
    name,
    annotations: { "pv.kubernetes.io/provisioned-by": driverName },
    finalizers: expect.arrayContaining(["external-provisioner.volume.kubernetes.io/finalizer"]),
  });
  expect(volume?.status?.phase).toBe("Bound");
  expect(volume?.spec).toMatchObject({
    csi: { driver: driverName, volumeHandle: `id-of-${name}`, fsType: "ext4" },
    mountOptions: ["noatime"],
    persistentVolumeReclaimPolicy: "Delete",
    storageClassName: "fast",
    claimRef: { kind: "PersistentVolumeClaim", namespace: "default", name: "data", uid: metadata.uid },
  });
  await remove(c, "data");
  await c.run(2);
  expect([await c.claim("data"), await c.volumes(), c.drivers["cluster"]!.volumes.size]).toEqual([undefined, [], 0]);
  await c.stop();
});

test("a retained volume outlives its claim, and a volume that is deleted first outlives nothing", async () => {
  const c = await cluster([], { reclaimPolicy: "Retain" });
  await c.create("data");
  await c.run(2);
  await remove(c, "data");
  await c.run(2);
  const [volume] = await c.volumes();
  expect([volume?.status?.phase, c.drivers["cluster"]!.volumes.size]).toEqual(["Released", 1]);
  await c.client.delete(persistentVolumes, key(undefined, volume!.metadata.name));
  await c.run(2);
  expect([await c.volumes(), c.drivers["cluster"]!.volumes.size]).toEqual([[], 1]);
  await c.stop();
});

test("a volume that is deleted while it is bound goes when its claim does", async () => {
  const c = await cluster();
  await c.create("data");
  await c.run(2);
  const [volume] = await c.volumes();
  await c.client.delete(persistentVolumes, key(undefined, volume!.metadata.name));
  await c.run(2);
  expect([(await c.volumes()).length, c.drivers["cluster"]!.volumes.size]).toEqual([1, 1]);
  await remove(c, "data");
  await c.run(2);
  expect([await c.volumes(), c.drivers["cluster"]!.volumes.size]).toEqual([[], 0]);
  await c.stop();
});

test("a volume of a node is made there once the node is selected", async () => {
  const c = await cluster(["n1", "n2"], { volumeBindingMode: "WaitForFirstConsumer" });
  await c.create("data");
  await c.run(2);
  expect(await c.volumes()).toEqual([]);
  await c.patch("data", selected("n2"));
  await c.run(2);
  expect([c.drivers["n1"]!.volumes.size, c.drivers["n2"]!.volumes.size]).toEqual([0, 1]);
  const [volume] = await c.volumes();
  expect(volume?.spec.nodeAffinity?.required?.nodeSelectorTerms).toEqual([
    { matchExpressions: [{ key: "example.com/node", operator: "In", values: ["n2"] }] },
  ]);
  await remove(c, "data");
  await c.run(2);
  expect([await c.volumes(), c.drivers["n2"]!.volumes.size]).toEqual([[], 0]);
  await c.stop();
});

test("a node without room gives the claim back to the scheduler", async () => {
  const c = await cluster(["n1", "n2"], { volumeBindingMode: "WaitForFirstConsumer" });
  c.drivers["n1"]!.capacity = 0;
  await c.create("data", {}, selected("n1").metadata);
  await c.run(2);
  const { annotations, finalizers } = (await c.claim("data"))!.metadata;
  expect(annotations).not.toHaveProperty("volume.kubernetes.io/selected-node");
  expect(finalizers).toEqual(["kubernetes.io/pvc-protection"]);
  await c.patch("data", selected("n2"));
  await c.run(2);
  expect((await c.claim("data"))?.status?.phase).toBe("Bound");
  await c.stop();
});

test("one node makes a volume that any node could make", async () => {
  const c = await cluster(["n1", "n2", "n3"]);
  await c.create("data");
  await c.run(3);
  expect((await c.claim("data"))?.status?.phase).toBe("Bound");
  expect(Object.values(c.drivers).reduce((sum, { volumes }) => sum + volumes.size, 0)).toBe(1);
  await c.stop();
});

test("a claim is a copy of another claim of its namespace", async () => {
  const c = await cluster();
  const { metadata } = await c.create("data");
  await c.create("copy", { dataSource: { kind: "PersistentVolumeClaim", name: "data" } });
  await c.run(5);
  expect((await c.claim("copy"))?.status?.phase).toBe("Bound");
  const sources = [...c.drivers["cluster"]!.volumes.values()].map(({ source }) => source);
  expect(sources).toEqual([undefined, { volume: { volumeId: `id-of-pvc-${metadata.uid}` } }]);
  await c.stop();
});

/** Whatever dies at whichever step: one volume for a claim that stays, none for one that is deleted. */
for (const moment of ["before", "after"] as const)
  for (const isDeleted of [false, true])
    test(`killed ${moment} each step of provisioning, the claim is ${isDeleted ? "deleted" : "kept"} meanwhile`, async () => {
      for (let step = 1; step <= 14; step++) {
        const c = await cluster();
        const driver = c.drivers["cluster"]!;
        await c.create("data");
        c.process.killAt(step, moment);
        await c.run(3);
        if (isDeleted) await remove(c, "data");
        await c.run(5);
        await c.run(5);
        const facts = [(await c.volumes()).length, driver.volumes.size, (await c.claim("data"))?.status?.phase];
        expect([step, ...facts]).toEqual(isDeleted ? [step, 0, 0, undefined] : [step, 1, 1, "Bound"]);
        await c.stop();
      }
    });

test("killed at each step of deletion: nothing is left", async () => {
  for (const moment of ["before", "after"] as const)
    for (let step = 1; step <= 8; step++) {
      const c = await cluster();
      await c.create("data");
      await c.run(3);
      await remove(c, "data");
      c.process.killAt(step, moment);
      await c.run(3);
      await c.run(5);
      expect([step, await c.volumes(), c.drivers["cluster"]!.volumes.size]).toEqual([step, [], 0]);
      await c.stop();
    }
});

const sizes = async (c: Cluster) => {
  const { status } = (await c.claim("data"))!;
  const [volume] = await c.volumes();
  const states = [status?.allocatedResourceStatuses?.["storage"], status?.conditions?.map(({ type }) => type).join()];
  return [status?.capacity?.["storage"], volume?.spec.capacity?.["storage"], ...states];
};
const request = (size: string) => ({ spec: { resources: { requests: { storage: size } } } });

test("a volume grows with its claim", async () => {
  const c = await cluster();
  await c.create("data");
  await c.run(2);
  await c.patch("data", request("2Gi"));
  await c.run(2);
  expect(await sizes(c)).toEqual(["2Gi", "2Gi", undefined, undefined]);
  await c.stop();
});

test("the file system grows after the volume, on the node", async () => {
  const c = await cluster([], {}, { nodeExpansionRequired: true });
  await c.create("data");
  await c.run(2);
  await c.patch("data", request("2Gi"));
  await c.run(2);
  expect(await sizes(c)).toEqual(["1Gi", "2Gi", "NodeResizePending", "FileSystemResizePending"]);
  expect((await c.claim("data"))?.status?.allocatedResources).toEqual({ storage: "2Gi" });
  await c.stop();
});

test("a size for which there is no room can be taken back", async () => {
  const c = await cluster();
  c.drivers["cluster"]!.capacity = 3 * 1024 ** 3;
  await c.create("data");
  await c.run(2);
  await c.patch("data", request("9Gi"));
  await c.run(2);
  expect(await sizes(c)).toEqual(["1Gi", "1Gi", "ControllerResizeInfeasible", "Resizing,ControllerResizeError"]);
  await c.patch("data", request("2Gi"));
  await c.run(2);
  expect(await sizes(c)).toEqual(["2Gi", "2Gi", undefined, undefined]);
  await c.stop();
});

for (const moment of ["before", "after"] as const)
  test(`killed ${moment} each step of an expansion: it ends`, async () => {
    for (let step = 1; step <= 7; step++) {
      const c = await cluster();
      await c.create("data");
      await c.run(2);
      await c.patch("data", request("2Gi"));
      c.process.killAt(step, moment);
      await c.run(2);
      await c.run(5);
      expect([step, ...(await sizes(c))]).toEqual([step, "2Gi", "2Gi", undefined, undefined]);
      await c.stop();
    }
  });

test("500 claims are bound", async () => {
  const c = await cluster();
  for (let i = 0; i < 500; i++) await c.create(`data-${i}`);
  await c.run(20);
  const { items } = await c.client.list(persistentVolumeClaims);
  expect(items.filter(({ status }) => status?.phase === "Bound")).toHaveLength(500);
  expect(new Set(items.map(({ spec }) => spec.volumeName)).size).toBe(500);
  await c.stop();
});
