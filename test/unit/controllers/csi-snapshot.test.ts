// The snapshotter: which contents it serves, what it calls the driver for, and what follows from the response.
import { expect, test } from "vitest";
import type { VolumeSnapshotContent } from "../../../api/snapshot/volumesnapshots.ts";
import { cloningFinalizer, decideCloning, type ObservedCloning } from "../../../controllers/csi/clone-protection.ts";
import { decideContentSnapshot, type ObservedContent } from "../../../controllers/csi/snapshot.ts";
import type { ControllerCapability } from "../../../csi/protocol/controller.ts";
import type { RpcCode } from "../../../csi/protocol/grpc.ts";
import { csi, driver, driverThat, node, outcome } from "./csi-driver.ts";
import { contentWith, snapshotClass } from "./snapshots.ts";
import { claim, volume } from "./volumes.ts";
import { ago, carryOut, now } from "./world.ts";

const prefix = "snapshot.storage.kubernetes.io";
const creating = { [`${prefix}/volumesnapshot-being-created`]: "yes" };
const deleting = { [`${prefix}/volumesnapshot-being-deleted`]: "yes" };
const managedBy = (name: string) => ({ labels: { [`${prefix}/managed-by`]: name } });
const creationTime = { seconds: now / 1000, nanos: 5_000_000 };
const snapshot = { snapshotId: "sid", sourceVolumeId: "id", sizeBytes: 2 ** 30, readyToUse: true, creationTime };
const made = { snapshot };
const finalizers = [`${prefix}/volumesnapshotcontent-bound-protection`];
const deletedContent = (
  annotations: object,
  status: object = { snapshotHandle: "sid", readyToUse: true },
  spec: object = {},
) => contentWith(spec, status, { annotations, finalizers, deletionTimestamp: ago(1) });
const existing = { source: { snapshotHandle: "sid" } };
const no = (code: string) => `failed to take snapshot of the volume id: "rpc error: code = ${code} desc = no"`;

type Row = readonly [string, Partial<ObservedContent>, object | RpcCode, typeof node | undefined, readonly string[]];
const rows: readonly Row[] = [
  ["a new content is marked first", { content: contentWith({}) }, made, undefined, ["patch"]],
  [
    "then its snapshot is made",
    { content: contentWith({}, undefined, { annotations: creating }) },
    made,
    undefined,
    ["status", "patch"],
  ],
  ["another driver's", { content: contentWith({ driver: "other" }) }, made, undefined, []],
  ["one of another node", { content: contentWith({}, undefined, managedBy("n2")) }, made, node, []],
  ["one of this node", { content: contentWith({}, undefined, managedBy("n1")) }, made, node, ["patch"]],
  ["one of no node", { content: contentWith({}) }, made, node, []],
  [
    "no class",
    { snapshotClass: undefined },
    made,
    undefined,
    [
      "status",
      String.raw`Warning SnapshotCreationFailed: Failed to create snapshot: failed to get input parameters to create snapshot for content c: "volumesnapshotclass.snapshot.storage.k8s.io \"fast\" not found"`,
      "retry",
    ],
  ],
  [
    "the driver refuses: the mark goes",
    { content: contentWith({}, undefined, { annotations: creating }) },
    "NOT_FOUND",
    undefined,
    ["status", `Warning SnapshotCreationFailed: Failed to create snapshot: ${no("NotFound")}`, "patch", "retry"],
  ],
  [
    "the driver does not respond: the mark stays",
    { content: contentWith({}, undefined, { annotations: creating }) },
    "DEADLINE_EXCEEDED",
    undefined,
    ["status", `Warning SnapshotCreationFailed: Failed to create snapshot: ${no("DeadlineExceeded")}`, "retry"],
  ],
  [
    "it fails again",
    { content: contentWith({}, { readyToUse: false, error: { message: "before" } }, { annotations: creating }) },
    "UNAVAILABLE",
    undefined,
    [
      "status",
      `Warning SnapshotContentCheckandUpdateFailed: Failed to check and update snapshot content: ${no("Unavailable")}`,
      "retry",
    ],
  ],
  ["it is ready", { content: contentWith({}, { readyToUse: true }) }, made, undefined, []],
  [
    "it is ready, and marked",
    { content: contentWith({}, { readyToUse: true }, { annotations: creating }) },
    made,
    undefined,
    ["patch"],
  ],
  ["one that existed before", { content: contentWith(existing) }, { entries: [{ snapshot }] }, undefined, ["status"]],
  [
    "one that existed before",
    { content: contentWith(existing) },
    { entries: [] },
    undefined,
    [
      "status",
      'Warning SnapshotContentCheckandUpdateFailed: Failed to check and update snapshot content: failed to list snapshot for content c: "can not find snapshot for snapshotID sid"',
      "retry",
    ],
  ],
  ["deleted before its snapshot object", { content: deletedContent({}) }, {}, undefined, []],
  ["deleted", { content: deletedContent(deleting) }, {}, undefined, ["status"]],
  ["deleted, and nothing is left", { content: deletedContent(deleting, {}) }, {}, undefined, ["patch"]],
  [
    "deleted while it may be made",
    { content: deletedContent({ ...deleting, ...creating }, {}) },
    made,
    undefined,
    ["status", "patch"],
  ],
  [
    "deleted and retained",
    { content: deletedContent(deleting, { snapshotHandle: "sid" }, { deletionPolicy: "Retain" }) },
    "INTERNAL",
    undefined,
    ["patch"],
  ],
  [
    "deleted, and the driver refuses",
    { content: deletedContent(deleting) },
    "INTERNAL",
    undefined,
    ["Warning SnapshotDeleteError: Failed to delete snapshot", "retry"],
  ],
  [
    "deleted without having been bound",
    {
      content: deletedContent(
        {},
        { snapshotHandle: "sid" },
        { ...existing, volumeSnapshotRef: { name: "s", namespace: "default" } },
      ),
    },
    {},
    undefined,
    ["status"],
  ],
];
const capabilities: ReadonlySet<ControllerCapability> = new Set(["CREATE_DELETE_SNAPSHOT", "LIST_SNAPSHOTS"]);
for (const [what, more, response, on, does] of rows)
  test(`snapshotter: ${what}`, async () => {
    const observed = { content: contentWith({}), snapshotClass: snapshotClass(), ...more };
    const { options } = driverThat(response, { capabilities, ...(on && { node: on }) });
    expect(await outcome(decideContentSnapshot(observed, options, now))).toEqual(does);
  });

test("snapshotter: the request, and what is written of the response", async () => {
  const { options, calls } = driverThat(made, { capabilities });
  const content = contentWith({}, undefined, { annotations: creating });
  const decision = decideContentSnapshot({ content, snapshotClass: snapshotClass() }, options, now);
  const [after] = carryOut((await decision.effect!.run()).actions, [content]) as readonly VolumeSnapshotContent[];
  const parameters = { kind: "fast" };
  expect(calls).toEqual([
    { method: "CreateSnapshot", request: { name: "snapshot-uid-of-s", sourceVolumeId: "id", parameters } },
  ]);
  expect(after!.metadata.annotations).toEqual({});
  expect(after!.status).toEqual({
    ...{ snapshotHandle: "sid", readyToUse: true, restoreSize: 2 ** 30 },
    creationTime: (now + 5) * 1_000_000,
  });
});

test("snapshotter: without LIST_SNAPSHOTS an existing snapshot is believed", async () => {
  const { options, calls } = driverThat("INTERNAL", { capabilities: new Set(["CREATE_DELETE_SNAPSHOT"]) });
  const observed = { content: contentWith(existing), snapshotClass: undefined };
  expect(await outcome(decideContentSnapshot(observed, options, now))).toEqual(["status"]);
  expect(calls).toEqual([]);
});

const copied = { finalizers: [cloningFinalizer], deletionTimestamp: ago(1) };
const own = volume({ metadata: { annotations: { "pv.kubernetes.io/provisioned-by": driver } }, spec: csi });
const cloning: readonly (readonly [string, Partial<ObservedCloning>, readonly string[]])[] = [
  ["a claim that is copied", { copies: [claim()] }, []],
  ["a claim that was copied", {}, ["patch"]],
  ["a claim that is not deleted", { claim: claim({ metadata: { finalizers: [cloningFinalizer] } }) }, []],
  ["a claim of another driver", { volume: volume() }, []],
  ["a claim that was never copied", { claim: claim({ metadata: { deletionTimestamp: ago(1) } }) }, []],
];
for (const [what, more, does] of cloning)
  test(`protection of ${what}`, async () => {
    const observed = { claim: claim({ metadata: copied }), volume: own, copies: [], ...more };
    expect(await outcome(decideCloning(observed, driverThat({}).options))).toEqual(does);
  });
