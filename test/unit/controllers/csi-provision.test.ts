// The provisioner: which claims it makes volumes for, what it requests of the driver, and what follows from errors.
import { expect, test } from "vitest";
import type { PersistentVolumeClaim, VolumeAttributesClass } from "../../../api/generated/types.ts";
import type { VolumeSnapshotContent } from "../../../api/snapshot/volumesnapshots.ts";
import { decideOrder, type ObservedOrder, provisioningFinalizer } from "../../../controllers/csi/provision.ts";
import type { DriverOptions } from "../../../controllers/csi/sidecar.ts";
import type { RpcCode } from "../../../csi/protocol/grpc.ts";
import { cloningFinalizer } from "../../../controllers/csi/clone-protection.ts";
import { contentWith, snapshotWith } from "./snapshots.ts";
import { csi, driver, driverThat, node, outcome } from "./csi-driver.ts";
import { claim, claimRef, storageClass, volume } from "./volumes.ts";
import { ago, asStored } from "./world.ts";

const annotations = { "volume.kubernetes.io/storage-provisioner": driver };
const waiting = claim({ metadata: { annotations }, spec: { storageClassName: "fast" } });
const order = (more: Partial<ObservedOrder> = {}): ObservedOrder => ({
  ...{
    claim: waiting,
    storageClass: storageClass("fast"),
    volume: undefined,
    ...{ source: {}, attributes: undefined },
  },
  ...more,
});
const begins = 'Normal Provisioning: External provisioner is provisioning volume for claim "default/data"';
const made = { volume: { volumeId: "id", capacityBytes: 2 ** 30, volumeContext: { a: "b" }, accessibleTopology: [] } };
const selected = (name: string, more: object = {}): PersistentVolumeClaim =>
  claim({
    metadata: { annotations: { ...annotations, "volume.kubernetes.io/selected-node": name }, ...more },
    spec: { storageClassName: "fast" },
  });
const zones = (...values: string[]) =>
  storageClass("fast", { allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values }] }] });
const marked = { finalizers: [provisioningFinalizer({ ...driverThat({}).options, node })] };

const failed = (reason: string): string =>
  `Warning ProvisioningFailed: failed to provision volume with StorageClass "fast": ${reason}`;
const copy = { ...waiting, spec: { ...waiting.spec, dataSource: { kind: "PersistentVolumeClaim", name: "other" } } };
const other = claim({ name: "other", spec: { volumeName: "pv" }, status: { phase: "Bound" } });
const kept = { ...other, metadata: { ...other.metadata, finalizers: [cloningFinalizer] } };
const source = volume({ spec: { ...csi, claimRef: claimRef(other) } });
const fromSnapshot = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "s" };
const restored = { ...waiting, spec: { ...waiting.spec, dataSource: fromSnapshot } };
const restoredOn = (name: string): PersistentVolumeClaim => {
  const on = selected(name);
  return { ...on, spec: restored.spec };
};
const withAttributes = { ...waiting, spec: { ...waiting.spec, volumeAttributesClassName: "quick" } };
const attributes = (driverName: string) =>
  asStored<VolumeAttributesClass>({ kind: "VolumeAttributesClass", metadata: { name: "quick" }, driverName });
const populator = { apiGroup: "example.com", kind: "Backup", name: "s" };
const snapshot = snapshotWith({}, { readyToUse: true, restoreSize: "1Gi", boundVolumeSnapshotContentName: "c" });
const content = contentWith({}, { readyToUse: true, snapshotHandle: "id" });
const contentOn = (name: string): VolumeSnapshotContent => ({
  ...content,
  metadata: { ...content.metadata, labels: { "snapshot.storage.kubernetes.io/managed-by": name } },
});
const larger = { ...snapshot, status: { ...snapshot.status, restoreSize: "2Gi" } };
const ofClaim = "Type PersistentVolumeClaim by Name other: ";
const ofSnapshot = "Type VolumeSnapshot by Name s: ";
const problems: readonly (readonly [string, Partial<ObservedOrder>, string])[] = [
  [
    "a copy of nothing",
    { claim: copy },
    `${ofClaim}error getting PVC other (namespace "default") from api server: persistentvolumeclaims "other" not found`,
  ],
  [
    "a copy of a claim that is not bound",
    { claim: copy, source: { claim: { ...other, status: { phase: "Pending" } } } },
    `${ofClaim}the PVC DataSource other must have a status of Bound.  Got Pending`,
  ],
  [
    "a copy of another driver's volume",
    { claim: copy, source: { claim: other, volume: volume() } },
    `${ofClaim}claim in dataSource not bound or invalid`,
  ],
  [
    "restored from nothing",
    { claim: restored },
    `${ofSnapshot}error getting snapshot s from api server: volumesnapshots.snapshot.storage.k8s.io "s" not found`,
  ],
  [
    "restored from a snapshot that is not bound",
    { claim: restored, source: { snapshot: snapshotWith({}, {}) } },
    `${ofSnapshot}snapshot s not bound`,
  ],
  [
    "restored from a snapshot that is not ready",
    {
      claim: restored,
      source: { snapshot: { ...snapshot, status: { ...snapshot.status, readyToUse: false } }, content },
    },
    `${ofSnapshot}snapshot s is not Ready`,
  ],
  [
    "restored from a larger snapshot",
    { claim: restored, source: { snapshot: larger, content } },
    `${ofSnapshot}requested volume size ${2 ** 30} is less than the size ${2 ** 31} for the source snapshot s`,
  ],
  [
    "restored from another driver's snapshot",
    { claim: restored, source: { snapshot, content: contentWith({ driver: "other" }, content.status) } },
    `${ofSnapshot}snapshotcontent c for snapshot s is not handled by CSI driver of StorageClass fast`,
  ],
  [
    "restored in another mode",
    { claim: restored, source: { snapshot, content: contentWith({ sourceVolumeMode: "Block" }, content.status) } },
    `${ofSnapshot}requested volume default/data modifies the mode of the source volume but does not have permission to do so. snapshot.storage.kubernetes.io/allow-volume-mode-change annotation is not present on snapshotcontent c`,
  ],
];
const rows: readonly (readonly [
  string,
  Partial<ObservedOrder>,
  object | RpcCode,
  DriverOptions["node"],
  readonly string[],
])[] = [
  [
    "a volume is made",
    {},
    made,
    undefined,
    ["patch", begins, "create", "Normal ProvisioningSucceeded: Successfully provisioned volume pvc-uid-of-data"],
  ],
  [
    "the driver refuses",
    {},
    "INVALID_ARGUMENT",
    undefined,
    ["patch", begins, failed("rpc error: code = InvalidArgument desc = no"), "retry"],
  ],
  ["another provisioner's claim", { claim: claim({ spec: { storageClassName: "fast" } }) }, made, undefined, []],
  ["a claim without its class", { storageClass: undefined }, made, undefined, []],
  [
    "a node must be selected first",
    { storageClass: storageClass("fast", { volumeBindingMode: "WaitForFirstConsumer" }) },
    made,
    undefined,
    [],
  ],
  ["another node is selected", { claim: selected("n2") }, made, node, []],
  [
    "this node is selected",
    { claim: selected("n1") },
    "INTERNAL",
    node,
    ["patch", begins, failed("rpc error: code = Internal desc = no"), "retry"],
  ],
  ["no node is selected: the claim is taken", {}, made, node, ["patch"]],
  ["taken only where the class allows it", { storageClass: zones("z2") }, made, node, []],
  ["taken where the class allows it", { storageClass: zones("z2", "z1") }, made, node, ["patch"]],
  [
    "a claim that is deleted before",
    { claim: claim({ metadata: { annotations, deletionTimestamp: ago(1) } }) },
    made,
    undefined,
    [],
  ],
  [
    "deleted meanwhile: made or found, and deleted",
    { claim: selected("n1", { ...marked, deletionTimestamp: ago(1) }) },
    made,
    node,
    ["patch"],
  ],
  [
    "deleted meanwhile, and the driver may be at work",
    { claim: selected("n1", { ...marked, deletionTimestamp: ago(1) }) },
    "UNAVAILABLE",
    node,
    ["retry"],
  ],
  [
    "deleted meanwhile, and never made",
    { claim: selected("n1", { ...marked, deletionTimestamp: ago(1) }) },
    "RESOURCE_EXHAUSTED",
    node,
    ["patch"],
  ],
  ["another node is selected meanwhile", { claim: selected("n2", marked) }, made, node, ["patch"]],
  [
    "attributes of its own",
    { claim: withAttributes, attributes: attributes(driver) },
    made,
    undefined,
    ["patch", begins, "create", "Normal ProvisioningSucceeded: Successfully provisioned volume pvc-uid-of-data"],
  ],
  [
    "attributes that are not there",
    { claim: withAttributes },
    made,
    undefined,
    [failed('volumeattributesclasses.storage.k8s.io "quick" not found'), "retry"],
  ],
  [
    "attributes of another driver",
    { claim: withAttributes, attributes: attributes("other") },
    made,
    undefined,
    [failed(`VAC quick referenced in PVC is for driver other which does not match driver name ${driver}`), "retry"],
  ],
  ["a copy of a claim", { claim: copy, source: { claim: other, volume: source } }, made, undefined, ["patch"]],
  [
    "a copy of a claim that is protected",
    { claim: copy, source: { claim: kept, volume: source } },
    made,
    undefined,
    ["patch", begins, "create", "Normal ProvisioningSucceeded: Successfully provisioned volume pvc-uid-of-data"],
  ],
  [
    "restored from a snapshot",
    { claim: restored, source: { snapshot, content } },
    made,
    undefined,
    ["patch", begins, "create", "Normal ProvisioningSucceeded: Successfully provisioned volume pvc-uid-of-data"],
  ],
  [
    "restored from a snapshot of another node",
    { claim: restoredOn("n1"), source: { snapshot, content: contentOn("n2") } },
    made,
    node,
    [],
  ],
  [
    "restored from a snapshot here, for a pod on another node",
    { claim: restoredOn("n2"), source: { snapshot, content: contentOn("n1") } },
    made,
    node,
    ["patch"],
  ],
  [
    "restored from a snapshot here, for a pod here",
    { claim: restoredOn("n1"), source: { snapshot, content: contentOn("n1") } },
    made,
    node,
    ["patch", begins, "create", "Normal ProvisioningSucceeded: Successfully provisioned volume pvc-uid-of-data"],
  ],
  [
    "a copy of a source of another kind",
    { claim: claim({ metadata: { annotations }, spec: { storageClassName: "fast", dataSource: populator } }) },
    made,
    undefined,
    ["Normal Provisioning: Assuming an external populator will provision the volume"],
  ],
  ...problems.map(
    ([what, more, problem]) =>
      [what, more, made, undefined, [failed(`error getting handle for DataSource ${problem}`), "retry"]] as const,
  ),
];
for (const [what, of, response, on, does] of rows)
  test(`provisioner: ${what}`, async () =>
    expect(await outcome(decideOrder(order(of), driverThat(response, on && { node: on }).options))).toEqual(does));

test("provisioner: the request", async () => {
  const { options, calls } = driverThat(made, { node });
  const parameters = { "csi.storage.k8s.io/fstype": "ext4", kind: "fast" };
  const of = { claim: selected("n1"), storageClass: storageClass("fast", { parameters, mountOptions: ["noatime"] }) };
  await outcome(decideOrder(order(of), options));
  expect(calls).toEqual([
    {
      method: "CreateVolume",
      request: {
        name: "pvc-uid-of-data",
        capacityRange: { requiredBytes: 2 ** 30, limitBytes: 0 },
        volumeCapabilities: [
          {
            mount: { fsType: "ext4", mountFlags: ["noatime"], volumeMountGroup: "" },
            accessMode: { mode: "SINGLE_NODE_MULTI_WRITER" },
          },
        ],
        parameters: { kind: "fast" },
        accessibilityRequirements: { requisite: [node], preferred: [node] },
      },
    },
  ]);
});
