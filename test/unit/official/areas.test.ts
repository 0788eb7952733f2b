// Which area of the official suite a spec is run in, and what specs that are not run need.
import { expect, test } from "vitest";
import { areaOf, missingFor } from "../../official/areas.ts";

const table: readonly (readonly [spec: string, area: string, missing?: string])[] = [
  ["[sig-apps] Job should adopt matching orphans and release non-matching pods [Conformance]", "apps"],
  ["[sig-apps] Daemon set [Serial] should rollback without unnecessary restarts [Conformance]", "serial"],
  ["[sig-cli] Kubectl client Kubectl version should check is all data is printed [Conformance]", "others"],
  ["[sig-storage] CSINodes CSI Conformance should run through the lifecycle [Conformance]", "storage", undefined],
  ["[sig-apps] CronJob should support timezone", "apps-beyond"],
  ["[sig-apps] StatefulSet Scaling StatefulSetStartOrdinal Setting .start.ordinal", "apps-beyond"],
  [
    "[sig-apps] StatefulSet Basic StatefulSet functionality [StatefulSetBasic] should adopt matching orphans",
    "apps-beyond",
    undefined,
  ],
  [
    "[sig-apps] DisruptionController evictions: too few pods => should not allow an eviction [Serial]",
    "apps-beyond-serial",
  ],
  [
    "[sig-apps] DaemonRestart [Disruptive] Kubelet should not restart containers across restart",
    "apps-beyond-serial",
    "a shell on the nodes over SSH",
  ],
  ["[sig-storage] PV Protection Verify that PV bound to a PVC is not removed immediately", "storage-beyond"],
  [
    "[sig-storage] In-tree Volumes [Driver: local] [LocalVolumeType: block] [Testpattern: Pre-provisioned PV (block volmode)] x",
    "storage-node",
  ],
  [
    "[sig-storage] In-tree Volumes [Driver: nfs] [Testpattern: Dynamic PV (default fs)] x",
    "storage-beyond",
    "a server for NFS or iSCSI",
  ],
  ["External Storage [Driver: local.csi.orrery.dev] [Testpattern: Dynamic PV (default fs)] x", "storage-local-driver"],
  ["[sig-storage] PersistentVolumes-local Stress with local volumes [Serial] x", "storage-beyond-serial"],
  ["[sig-node] [DRA] control plane supports reusing resources", "devices"],
  ["[sig-node] [DRA] kubelet [Feature:DynamicResourceAllocation] registers plugin", "devices"],
  [
    "[sig-node] [DRA] kubelet with v1beta1 API supports simple ResourceClaim",
    "devices",
    "an API that is off by default",
  ],
  ["[sig-node] [DRA] control plane must apply per-node permission checks", "devices", "admission policies"],
  ["[sig-node] [DRA] x supports extended resources together with ResourceClaim [Serial]", "devices-serial"],
  ["[sig-api-machinery] ResourceQuota should capture the life of a ResourceClaim [DRA]", "devices"],
  ["[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]", "node"],
];
for (const [spec, area, missing] of table)
  test(spec, () => expect([areaOf(spec)?.name, missingFor(spec)]).toEqual([area, missing]));

test("specs beyond conformance are run of workloads, devices and storage only", () =>
  expect(areaOf("[sig-node] Pods should cap back-off at MaxContainerBackOff [Slow]")).toBeUndefined());
