// Snapshots from the request to the restored claim, by a driver in memory; and under contradicting requests of a user and
// a process that is killed again and again: no snapshot that is kept is deleted, and none is left.
import fc from "fast-check";
import { expect, test } from "vitest";
import { nodes } from "../../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { key, keyOf } from "../../../api/meta.ts";
import {
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from "../../../api/snapshot/volumesnapshots.ts";
import type { MemoryDriverOptions } from "../../suites/memory-driver.ts";
import { type Cluster, cluster, driverName, segmentsOf } from "./provisioning.ts";

const capabilities = ["CREATE_DELETE_SNAPSHOT", "LIST_SNAPSHOTS", "CLONE_VOLUME"] as const;
const group = "snapshot.storage.k8s.io";
const snapshotKey = (name: string) => key("default", name);

async function snapshotCluster(nodes: readonly string[] = [], options: MemoryDriverOptions = {}, policy = "Delete") {
  const c = await cluster(nodes, {}, { capabilities, ...options });
  await c.client.create(volumeSnapshotClasses, {
    kind: "VolumeSnapshotClass",
    metadata: { name: "fast", annotations: { "snapshot.storage.kubernetes.io/is-default-class": "true" } },
    ...{ driver: driverName, deletionPolicy: policy },
  } as never);
  return c;
}
const take = (c: Cluster, name: string, claim: string) =>
  c.client.create(volumeSnapshots, {
    kind: "VolumeSnapshot",
    metadata: { name, namespace: "default" },
    spec: { source: { persistentVolumeClaimName: claim } },
  });
const restore = (c: Cluster, name: string, snapshot: string, metadata: object = {}) =>
  c.create(name, { dataSource: { apiGroup: group, kind: "VolumeSnapshot", name: snapshot } }, metadata);
const snapshotNamed = (c: Cluster, name: string) =>
  c.client.get(volumeSnapshots, snapshotKey(name)).catch(() => undefined);
const contentsOf = async (c: Cluster) => (await c.client.list(volumeSnapshotContents)).items;
const remove = (c: Cluster, name: string) => c.client.delete(volumeSnapshots, snapshotKey(name));

test("a claim is restored from a snapshot of another, and both snapshot and claim can go", async () => {
  const c = await snapshotCluster();
  await c.create("data");
  await take(c, "s", "data");
  await c.run(4);
  const { metadata, spec, status } = (await snapshotNamed(c, "s"))!;
  const [content] = await contentsOf(c);
  expect(spec.volumeSnapshotClassName).toBe("fast");
  expect(status).toEqual({
    ...{ readyToUse: true, restoreSize: "1Gi", creationTime: "1970-01-01T00:00:01Z" },
    boundVolumeSnapshotContentName: content!.metadata.name,
  });
  expect(content!.status).toMatchObject({ readyToUse: true, restoreSize: 2 ** 30, creationTime: 1_000_000_000 });
  expect(content!.metadata.annotations).toBeUndefined();
  const claim = await c.claim("data");
  expect(claim!.metadata.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
  await restore(c, "copy", "s");
  await c.run(4);
  expect((await c.claim("copy"))?.status?.phase).toBe("Bound");
  const driver = c.drivers["cluster"]!;
  const sources = [...driver.volumes.values()].map(({ source }) => source);
  expect(sources).toEqual([undefined, { snapshot: { snapshotId: `snapshot-of-snapshot-${metadata.uid}` } }]);
  await remove(c, "s");
  await c.run(4);
  expect([await snapshotNamed(c, "s"), await contentsOf(c), driver.snapshots.size]).toEqual([undefined, [], 0]);
  await c.stop();
});

test("a retained snapshot outlives its object, and is bound again by another", async () => {
  const c = await snapshotCluster([], {}, "Retain");
  await c.create("data");
  await take(c, "s", "data");
  await c.run(4);
  await remove(c, "s");
  await c.run(4);
  const [content] = await contentsOf(c);
  expect([await snapshotNamed(c, "s"), content?.status?.readyToUse]).toEqual([undefined, true]);
  await c.client.create(volumeSnapshotContents, {
    kind: "VolumeSnapshotContent",
    metadata: { name: "kept" },
    spec: {
      ...{ deletionPolicy: "Retain", driver: driverName },
      source: { snapshotHandle: content!.status!.snapshotHandle! },
      volumeSnapshotRef: { name: "t", namespace: "default" },
    },
  });
  await c.client.create(volumeSnapshots, {
    kind: "VolumeSnapshot",
    metadata: { name: "t", namespace: "default" },
    spec: { source: { volumeSnapshotContentName: "kept" } },
  });
  await restore(c, "copy", "t");
  await c.run(6);
  expect((await snapshotNamed(c, "t"))?.status).toMatchObject({ readyToUse: true, restoreSize: "1Gi" });
  expect((await c.claim("copy"))?.status?.phase).toBe("Bound");
  await c.stop();
});

test("a snapshot of a volume of a node is restored there, wherever the pod was to be", async () => {
  const names = ["n1", "n2"];
  const c = await snapshotCluster(names);
  for (const name of names)
    await c.client.create(nodes, { kind: "Node", metadata: { name, labels: segmentsOf(name) } } as never);
  const on = (node: string) => ({ annotations: { "volume.kubernetes.io/selected-node": node } });
  await c.create("data", {}, on("n1"));
  await take(c, "s", "data");
  await c.run(4);
  await restore(c, "copy", "s", on("n2"));
  await c.run(6);
  const copy = await c.claim("copy");
  expect(copy?.metadata.annotations).toMatchObject(on("n1").annotations);
  expect(copy?.status?.phase).toBe("Bound");
  expect([c.drivers["n1"]!, c.drivers["n2"]!].map(({ volumes, snapshots }) => [volumes.size, snapshots.size])).toEqual([
    [2, 1],
    [0, 0],
  ]);
  await c.stop();
});

const sizes = ({ drivers }: Cluster): readonly number[] => {
  const { snapshots, volumes } = drivers["cluster"]!;
  return [snapshots.size, volumes.size];
};
const removeBoth = (c: Cluster) => Promise.all([remove(c, "s"), requests.deleteClaim(c, 2)]);
/** What a user does at the moment of the kill, and the snapshots and volumes that there are in the end. */
const kills: readonly (readonly [string, (c: Cluster) => Promise<unknown>, readonly number[], readonly number[]])[] = [
  ["nothing happens", async () => {}, [1, 2], [1, 2]],
  ["the snapshot is deleted", (c) => remove(c, "s"), [0, 1], [0, 2]],
  ["the snapshot and the restored claim are deleted", (c) => removeBoth(c), [0, 1], [0, 1]],
  ["the restored claim is deleted", (c) => requests.deleteClaim(c, 2), [1, 1], [1, 1]],
];
test.each(kills)("the process is killed at each step, and %s", async (_, request, ...ends) => {
  for (let at = 1; at <= 40; at++)
    for (const moment of ["before", "after"] as const) {
      const c = await snapshotCluster();
      await c.create("data-0");
      await c.run(2);
      await take(c, "s", "data-0");
      await restore(c, "restored-0", "s");
      c.process.killAt(at, moment);
      await c.run(5);
      await request(c);
      await c.run(65);
      // What waits for a snapshot that is gone is given up.
      if ((await c.claim("restored-0"))?.status?.phase === "Pending") await requests.deleteClaim(c, 2);
      await c.run(65);
      expect(ends, `${moment} step ${at}`).toContainEqual(sizes(c));
      expect(await contentsOf(c)).toHaveLength(sizes(c)[0]!);
      expect(await c.volumes()).toHaveLength(sizes(c)[1]!);
      await c.stop();
    }
});

const index = fc.nat(1);
const step = fc.oneof(
  fc.record({ do: fc.constant("claim" as const), index }),
  fc.record({ do: fc.constant("take" as const), index }),
  fc.record({ do: fc.constant("restore" as const), index }),
  fc.record({ do: fc.constant("clone" as const), index }),
  fc.record({ do: fc.constant("deleteClaim" as const), index: fc.nat(5) }),
  fc.record({ do: fc.constant("deleteSnapshot" as const), index }),
  fc.record({ do: fc.constant("deleteContent" as const), index }),
  fc.record({ do: fc.constant("kill" as const), at: fc.integer({ min: 1, max: 12 }), isAfter: fc.boolean() }),
  fc.record({ do: fc.constant("run" as const), ms: fc.integer({ min: 1, max: 400 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
type Requests = { readonly [K in Exclude<Step["do"], "run" | "kill">]: (c: Cluster, i: number) => Promise<unknown> };
const claimNames = ["data-0", "data-1", "restored-0", "restored-1", "clone-0", "clone-1"];
const requests: Requests = {
  claim: (c, i) => c.create(`data-${i}`),
  take: (c, i) => take(c, `s-${i}`, `data-${i}`),
  restore: (c, i) => restore(c, `restored-${i}`, `s-${i}`),
  clone: (c, i) => c.create(`clone-${i}`, { dataSource: { kind: "PersistentVolumeClaim", name: `data-${i}` } }),
  deleteClaim: (c, i) => c.client.delete(persistentVolumeClaims, key("default", claimNames[i]!)),
  deleteSnapshot: (c, i) => remove(c, `s-${i}`),
  async deleteContent(c, i) {
    const content = (await contentsOf(c))[i];
    if (content) await c.client.delete(volumeSnapshotContents, keyOf(content));
  },
};
/** What the user does; requests that are refused change nothing. */
async function carryOut(c: Cluster, s: Step): Promise<void> {
  if (s.do === "run") return c.run(s.ms / 1000);
  if (s.do === "kill") return c.process.killAt(s.at, s.isAfter ? "after" : "before");
  await requests[s.do](c, s.index).catch(() => {});
}

test("snapshots, restored claims and clones, and a process that is killed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const wrong: string[] = [];
      const called = async (method: string, { snapshotId }: { readonly snapshotId?: string }): Promise<void> => {
        const content = (await contentsOf(c)).find(({ status }) => status?.snapshotHandle === snapshotId);
        if (method !== "DeleteSnapshot" || content === undefined) return;
        const { name } = content.spec.volumeSnapshotRef;
        const snapshot = await snapshotNamed(c, name!);
        if (snapshot && snapshot.metadata.deletionTimestamp === undefined) wrong.push(`${name} is kept`);
      };
      const c: Cluster = await snapshotCluster([], { called });
      for (const i of [0, 1]) await requests.claim(c, i);
      await c.run(2);
      for (const s of [...steps, { do: "run", ms: 5000 } as const, { do: "run", ms: 65_000 } as const])
        await carryOut(c, s);
      // What waits for a source that is gone is given up.
      for (const { metadata, status } of (await c.client.list(persistentVolumeClaims)).items)
        if (status?.phase === "Pending") await c.client.delete(persistentVolumeClaims, keyOf({ metadata }));
      await c.run(65);
      const driver = c.drivers["cluster"]!;
      const contents = await contentsOf(c);
      const handles = contents.flatMap(({ status }) => status?.snapshotHandle ?? []);
      expect(wrong).toEqual([]);
      expect(handles.toSorted()).toEqual([...driver.snapshots.keys()].toSorted());
      const objects = (await c.volumes()).map(({ spec }) => spec.csi!.volumeHandle);
      expect([...driver.volumes.keys()].toSorted()).toEqual(objects.toSorted());
      for (const { metadata, status } of (await c.client.list(volumeSnapshots)).items) {
        if (metadata.deletionTimestamp !== undefined) continue;
        const source = status?.boundVolumeSnapshotContentName;
        const content = contents.find((one) => one.metadata.name === source);
        expect([metadata.name, status?.readyToUse ?? false]).toEqual([
          metadata.name,
          content?.status?.readyToUse ?? false,
        ]);
      }
      await c.stop();
    }),
    { numRuns: 200, seed: 12 },
  );
});
