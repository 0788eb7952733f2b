// The snapshot controller: which content is made or bound, what a snapshot says of itself, and what goes with it.
import { expect, test } from "vitest";
import type { PersistentVolumeClaim } from "../../../api/generated/types.ts";
import type { ApiObject } from "../../../api/meta.ts";
import type { VolumeSnapshot, VolumeSnapshotContent } from "../../../api/snapshot/volumesnapshots.ts";
import { decideContent } from "../../../controllers/snapshots/controller.ts";
import { decideSnapshot, type ObservedSnapshot } from "../../../controllers/snapshots/snapshot.ts";
import type { Decision } from "../../../machinery/controller.ts";
import { csi, outcome } from "./csi-driver.ts";
import { contentWith, snapshotClass, snapshotWith } from "./snapshots.ts";
import { claim, claimRef, volume } from "./volumes.ts";
import { ago, carryOut, now } from "./world.ts";

const prefix = "snapshot.storage.kubernetes.io";
const asSource = `${prefix}/volumesnapshot-as-source-protection`;
const bound = `${prefix}/volumesnapshot-bound-protection`;
const onClaim = { finalizers: [`${prefix}/pvc-as-source-protection`] };
const finalizers = [asSource, bound];

const data = claim({ spec: { volumeName: "pv" }, status: { phase: "Bound" } });
const protectedData = { ...data, metadata: { ...data.metadata, ...onClaim } };
const pv = volume({ spec: { ...csi, claimRef: claimRef(data) } });
const fresh = snapshotWith({}, undefined, { finalizers: [asSource] });
const taken = { creationTime: (Date.parse(ago(60)) + 1) * 1e6, restoreSize: 2 ** 30, snapshotHandle: "id" };
const boundName = { boundVolumeSnapshotContentName: "c" };
const isBound = { ...boundName, readyToUse: false };
const isReady = { ...boundName, creationTime: ago(60), readyToUse: true, restoreSize: "1Gi" };
const reserved = contentWith({
  source: { snapshotHandle: "id" },
  volumeSnapshotRef: { name: "s", namespace: "default" },
});
const preProvisioned = { source: { volumeSnapshotContentName: "c" } };
const ready = (metadata: object = {}): VolumeSnapshot => snapshotWith({}, isReady, { finalizers, ...metadata });
const deleted = { deletionTimestamp: ago(1) };
const marked = { annotations: { [`${prefix}/volumesnapshot-being-deleted`]: "yes" } };

const observed = (more: Partial<ObservedSnapshot>): ObservedSnapshot => ({
  ...{ snapshot: fresh, content: undefined, snapshotClass: snapshotClass(), defaultClasses: [] },
  ...{ claim: data, volume: pv, node: undefined, siblings: [], restored: [] },
  ...more,
});

const created = "Normal SnapshotCreated: Snapshot default/s was successfully created by the CSI driver.";
const isReadyNow = "Normal SnapshotReady: Snapshot default/s is ready to use.";
const cannot = "Failed to create snapshot content with error";
const input = "failed to get input parameters to create snapshot s:";
const rows: readonly (readonly [string, Partial<ObservedSnapshot>, readonly string[]])[] = [
  ["a new one is protected", { snapshot: snapshotWith({}) }, ["patch"]],
  ["the claim is protected", {}, ["patch"]],
  [
    "then the content is made",
    { claim: protectedData },
    ["create", "Normal CreatingSnapshot: Waiting for a snapshot default/s to be created by the CSI driver."],
  ],
  ["a content is there", { content: contentWith({}) }, ["patch"]],
  [
    "the content is bound",
    { snapshot: snapshotWith({}, undefined, { finalizers }), content: contentWith({}), claim: protectedData },
    ["status"],
  ],
  ["the driver is at work", { snapshot: snapshotWith({}, isBound, { finalizers }), content: contentWith({}) }, []],
  [
    "the snapshot is taken",
    {
      snapshot: snapshotWith({}, isBound, { finalizers }),
      content: contentWith({}, { ...taken, readyToUse: false }),
    },
    ["status", created],
  ],
  [
    "the snapshot is ready",
    {
      snapshot: snapshotWith({}, isBound, { finalizers }),
      content: contentWith({}, { ...taken, readyToUse: true }),
    },
    ["status", created, isReadyNow],
  ],
  [
    "the driver has failed",
    {
      snapshot: snapshotWith({}, isBound, { finalizers }),
      content: contentWith({}, { readyToUse: false, error: { message: "no", time: ago(1) } }),
    },
    ["status"],
  ],
  ["ready: the claim is released", { snapshot: ready(), content: contentWith({}), claim: protectedData }, ["patch"]],
  [
    "ready: the claim is kept for another snapshot",
    { snapshot: ready(), content: contentWith({}), claim: protectedData, siblings: [fresh] },
    [],
  ],
  [
    "ready, and the content is gone",
    { snapshot: ready() },
    ["status", "Warning SnapshotContentMissing: VolumeSnapshotContent is missing"],
  ],
  [
    "gone contents are not made again",
    { snapshot: snapshotWith({}, { ...isReady, readyToUse: false }, { finalizers }), claim: protectedData },
    ["status", "Warning SnapshotContentMissing: VolumeSnapshotContent is missing"],
  ],
  [
    "ready, and the content is another's",
    { snapshot: ready(), content: contentWith({ volumeSnapshotRef: { name: "t", namespace: "default", uid: "t" } }) },
    ["status", "Warning SnapshotMisbound: VolumeSnapshotContent is not bound to the VolumeSnapshot correctly"],
  ],
  [
    "no claim",
    { claim: undefined },
    [
      "status",
      `Warning SnapshotContentCreationFailed: ${cannot} snapshot controller failed to update s on API server: cannot get claim from snapshot`,
    ],
  ],
  [
    "a claim that is not bound",
    { claim: claim(), volume: undefined },
    [
      "status",
      `Warning SnapshotContentCreationFailed: ${cannot} ${input} "the PVC data is not yet bound to a PV, will not attempt to take a snapshot"`,
    ],
  ],
  [
    "the same again",
    {
      claim: claim(),
      snapshot: snapshotWith(
        {},
        {
          error: {
            message: `${cannot} ${input} "the PVC data is not yet bound to a PV, will not attempt to take a snapshot"`,
          },
        },
        { finalizers },
      ),
    },
    [],
  ],
  [
    "a claim that is being deleted",
    { claim: claim({ metadata: deleted, spec: { volumeName: "pv" }, status: { phase: "Bound" } }) },
    [
      "status",
      `Warning SnapshotContentCreationFailed: ${cannot} snapshot controller failed to update data on API server: cannot add finalizer on claim because it is being deleted`,
    ],
  ],
  [
    "a volume without driver",
    { volume: volume({ spec: { claimRef: claimRef(data) } }) },
    ["status", `Warning SnapshotContentCreationFailed: ${cannot} cannot find CSI PersistentVolumeSource for volume pv`],
  ],
  [
    "no such class",
    { snapshotClass: undefined },
    [
      "status",
      'Warning GetSnapshotClassFailed: Failed to get snapshot class with error volumesnapshotclass.snapshot.storage.k8s.io "fast" not found',
    ],
  ],
  [
    "the default class",
    { snapshot: snapshotWith({ volumeSnapshotClassName: undefined }), defaultClasses: [snapshotClass()] },
    ["update"],
  ],
  [
    "no default class of this driver",
    {
      snapshot: snapshotWith({ volumeSnapshotClassName: undefined }),
      defaultClasses: [snapshotClass({ driver: "other" })],
    },
    [
      "status",
      "Warning SetDefaultSnapshotClassFailed: Failed to set default snapshot class with error cannot find default snapshot class",
    ],
  ],
  [
    "two default classes",
    {
      snapshot: snapshotWith({ volumeSnapshotClassName: undefined }),
      defaultClasses: [snapshotClass(), snapshotClass()],
    },
    [
      "status",
      "Warning SetDefaultSnapshotClassFailed: Failed to set default snapshot class with error 2 default snapshot classes were found",
    ],
  ],
  [
    "pre-provisioned: no content",
    { snapshot: snapshotWith(preProvisioned), claim: undefined },
    ["status", "Warning SnapshotContentMissing: VolumeSnapshotContent is missing"],
  ],
  [
    "pre-provisioned: another kind of content",
    { snapshot: snapshotWith(preProvisioned), claim: undefined, content: contentWith({}) },
    [
      "status",
      "Warning SnapshotContentMismatch: VolumeSnapshotContent is dynamically provisioned while expecting a pre-provisioned one",
    ],
  ],
  [
    "pre-provisioned: another's content",
    {
      snapshot: snapshotWith(preProvisioned),
      content: contentWith({
        source: { snapshotHandle: "id" },
        volumeSnapshotRef: { name: "t", namespace: "default" },
      }),
    },
    ["status", "Warning SnapshotContentMisbound: VolumeSnapshotContent [c] is bound to a different snapshot"],
  ],
  [
    "pre-provisioned: the content is bound",
    { snapshot: snapshotWith(preProvisioned, undefined, { finalizers }), content: reserved },
    ["update"],
  ],
  [
    "deleted: the content goes first",
    { snapshot: ready(deleted), content: contentWith({}) },
    ["patch", "delete", "patch"],
  ],
  [
    "deleted: the content is being deleted",
    {
      snapshot: ready({ ...deleted, finalizers: [bound] }),
      content: contentWith({}, {}, { ...marked, ...deleted }),
    },
    [],
  ],
  ["deleted: the content is gone", { snapshot: ready({ ...deleted, finalizers: [bound] }) }, ["patch"]],
  [
    "deleted: the content is retained",
    { snapshot: ready(deleted), content: contentWith({ deletionPolicy: "Retain" }) },
    ["patch", "patch"],
  ],
  [
    "deleted: another's content is left alone",
    {
      snapshot: ready(deleted),
      content: contentWith({ volumeSnapshotRef: { name: "t", namespace: "default", uid: "t" } }),
    },
    ["patch"],
  ],
  [
    "deleted while it is restored",
    { snapshot: ready(deleted), content: contentWith({}), restored: [claim()] },
    ["Warning SnapshotDeletePending: Snapshot is being used to restore a PVC"],
  ],
  ["deleted, with its claim released", { snapshot: ready(deleted), claim: protectedData }, ["patch", "patch"]],
];
for (const [what, more, does] of rows)
  test(`snapshot: ${what}`, async () => expect(await outcome(decideSnapshot(observed(more), now))).toEqual(does));

/** Carries decisions out until there are none, as if the driver were ready at once. */
function settle(decide: (objects: readonly ApiObject[]) => Decision, initial: readonly ApiObject[]) {
  let objects = initial;
  for (let i = 0; i < 10; i++) {
    const { actions } = decide(objects);
    if (actions.every((a) => a.do === "event")) return objects;
    objects = carryOut(actions, objects);
  }
  throw new Error("does not settle");
}
const find = <T>(objects: readonly ApiObject[], kind: string): T | undefined =>
  objects.find((o) => o.kind === kind) as T | undefined;

test("snapshot: the content of a volume of a node", () => {
  const objects = settle(
    (all) =>
      decideSnapshot(
        observed({
          snapshot: find<VolumeSnapshot>(all, "VolumeSnapshot")!,
          content: find<VolumeSnapshotContent>(all, "VolumeSnapshotContent"),
          claim: find<PersistentVolumeClaim>(all, "PersistentVolumeClaim"),
          node: "n1",
        }),
        now,
      ),
    [snapshotWith({}), data],
  );
  const content = find<VolumeSnapshotContent>(objects, "VolumeSnapshotContent")!;
  expect(content.metadata).toMatchObject({
    name: "snapcontent-uid-of-s",
    labels: { [`${prefix}/managed-by`]: "n1" },
  });
  expect(content.spec).toMatchObject({
    ...{ deletionPolicy: "Delete", driver: csi.csi.driver, source: { volumeHandle: "id" } },
    ...{ sourceVolumeMode: "Filesystem", volumeSnapshotClassName: "fast" },
    volumeSnapshotRef: { name: "s", namespace: "default", uid: "uid-of-s" },
  });
  const { metadata, status } = find<VolumeSnapshot>(objects, "VolumeSnapshot")!;
  expect(metadata.finalizers).toEqual(finalizers);
  expect(status).toEqual({ boundVolumeSnapshotContentName: "snapcontent-uid-of-s", readyToUse: false });
});

test("snapshot: its status is that of its content, in its own units", () => {
  const snapshot = snapshotWith({}, isBound, { finalizers });
  const content = contentWith({}, { ...taken, readyToUse: true });
  const [after] = carryOut(decideSnapshot(observed({ snapshot, content }), now).actions, [snapshot]);
  expect((after as VolumeSnapshot).status).toEqual(isReady);
});

test("snapshot: it stays until its content is gone", () => {
  const snapshot = ready(deleted);
  const { actions } = decideSnapshot(observed({ snapshot, content: contentWith({}) }), now);
  expect(carryOut(actions, [snapshot])[0]!.metadata.finalizers).toEqual([bound]);
});

test("a content is protected once it is bound", () => {
  expect(decideContent(contentWith({})).actions).toHaveLength(1);
  expect(decideContent(reserved).actions).toEqual([]);
  expect(decideContent(contentWith({}, {}, deleted)).actions).toEqual([]);
});
