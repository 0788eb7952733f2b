// CSI volumes of pods: what is derived from persistent volumes, inline volumes and the objects of drivers.
import { expect, test } from "vitest";
import type { CSIDriver, PersistentVolume } from "../../../api/generated/types.ts";
import type { NodeCapability } from "../../../csi/protocol/node.ts";
import { attachmentName } from "../../../csi/protocol/volume-names.ts";
import { RpcError } from "../../../csi/protocol/grpc.ts";
import { entryOf } from "../../../kubelet/volumes/csi/csi-node.ts";
import { rpcMessage } from "../../../kubelet/volumes/csi/rpc-message.ts";
import {
  capabilityFor,
  type CsiVolume,
  csiVolumeOf,
  isGivenToGroup,
  podAttributes,
  unsupportedMode,
} from "../../../kubelet/volumes/csi/volume.ts";
import { pod } from "./samples.ts";

type Spec = PersistentVolume["spec"];
const driver = "d.example.com";
const persistent = (spec: Partial<Spec> = {}, readOnly = false): CsiVolume => {
  const pv = {
    kind: "PersistentVolume",
    metadata: { name: "pv-1" },
    spec: { csi: { driver, volumeHandle: "h" }, ...spec },
  };
  return csiVolumeOf(pod(), { name: "v" }, { claim: {}, pv, readOnly } as never)!;
};
const inline = (csi = {}): CsiVolume => csiVolumeOf(pod(), { name: "v", csi: { driver, ...csi } }, undefined)!;

test("an inline volume has a handle of its own for each pod and volume", () => {
  expect(inline()).toMatchObject({ name: "v", isInline: true });
  expect(inline().handle).toMatch(/^csi-[0-9a-f]{64}$/);
  const other = csiVolumeOf(pod(), { name: "w", csi: { driver } }, undefined);
  expect(other?.handle).not.toBe(inline().handle);
});

test("the attachment has the name that the attach and detach controller gives it", () => {
  // printf 'hd.example.comn1' | sha256sum
  expect(attachmentName({ driver, volumeHandle: "h" }, "n1")).toBe(
    "csi-bf00c1a8390d248b3d2cf999edcf90407ea15c756d80e7f004a227d25e1a3492",
  );
});

const modes: readonly (readonly [Spec["accessModes"], readonly NodeCapability[], string])[] = [
  [undefined, [], "SINGLE_NODE_WRITER"],
  [["ReadWriteOnce"], ["SINGLE_NODE_MULTI_WRITER"], "SINGLE_NODE_MULTI_WRITER"],
  [["ReadWriteOncePod"], [], "SINGLE_NODE_WRITER"],
  [["ReadWriteOncePod"], ["SINGLE_NODE_MULTI_WRITER"], "SINGLE_NODE_SINGLE_WRITER"],
  [["ReadOnlyMany"], [], "MULTI_NODE_READER_ONLY"],
  [["ReadWriteMany"], [], "MULTI_NODE_MULTI_WRITER"],
];
test.each(modes)("access modes %j of a driver with %j are %s", (accessModes, capabilities, expected) => {
  const { accessMode } = capabilityFor(persistent({ accessModes }), new Set(capabilities), undefined);
  expect(accessMode?.mode).toBe(expected);
});

test("a driver gives the volume to the group if it can", () => {
  const groups = ([[], ["VOLUME_MOUNT_GROUP"]] as const).map(
    (capabilities) => capabilityFor(persistent(), new Set<NodeCapability>(capabilities), 5).mount?.volumeMountGroup,
  );
  expect(groups).toEqual(["", "5"]);
});

const once = ["ReadWriteOnce" as const];
const ext4 = { driver, volumeHandle: "h", fsType: "ext4" };
const policies: readonly (readonly [string, CsiVolume, CSIDriver["spec"] | undefined, boolean])[] = [
  ["without an object", persistent({ accessModes: once }), undefined, false],
  ["with a file system, for one node", persistent({ accessModes: once, csi: ext4 }), undefined, true],
  ["with a file system, for many nodes", persistent({ accessModes: ["ReadWriteMany"], csi: ext4 }), {}, false],
  ["File", persistent({ accessModes: ["ReadWriteMany"] }), { fsGroupPolicy: "File" }, true],
  ["File, read-only", persistent({}, true), { fsGroupPolicy: "File" }, false],
  ["None", persistent({ accessModes: once, csi: ext4 }), { fsGroupPolicy: "None" }, false],
];
test.each(policies)("fsGroup %s", (_, volume, policy, expected) =>
  expect(isGivenToGroup(volume, policy)).toBe(expected),
);

const lifecycles: readonly (readonly [CsiVolume, CSIDriver["spec"] | undefined, string | undefined])[] = [
  [persistent(), undefined, undefined],
  [inline(), undefined, `volume mode "Ephemeral" not supported by driver ${driver} (no CSIDriver object)`],
  [inline(), { volumeLifecycleModes: ["Persistent", "Ephemeral"] }, undefined],
  [
    persistent(),
    { volumeLifecycleModes: ["Ephemeral"] },
    `volume mode "Persistent" not supported by driver ${driver} (only supports ["Ephemeral"])`,
  ],
];
test.each(lifecycles)("lifecycle modes, case %#", (volume, policy, expected) =>
  expect(unsupportedMode(volume, policy)).toBe(expected),
);

test("a driver gets the pod's name only if it demands it", () => {
  expect(podAttributes(pod(), inline(), {})).toEqual({});
  expect(podAttributes(pod(), inline(), { podInfoOnMount: true })).toMatchObject({
    "csi.storage.k8s.io/pod.uid": pod().metadata.uid,
    "csi.storage.k8s.io/ephemeral": "true",
  });
});

test("the entry of a driver has sorted topology keys and a limit that fits 32 bits", () => {
  const info = { name: driver, nodeId: "n1", accessibleTopology: { segments: { b: "1", a: "2" } } };
  const entry = { name: driver, nodeID: "n1", topologyKeys: ["a", "b"] };
  expect(entryOf({ ...info, maxVolumesPerNode: 0 })).toEqual(entry);
  expect(entryOf({ ...info, maxVolumesPerNode: 2 ** 40 })).toEqual({ ...entry, allocatable: { count: 2 ** 31 - 1 } });
});

test("errors of drivers are written as gRPC's clients in Go write them", () => {
  const message = rpcMessage(new RpcError("FAILED_PRECONDITION", "no"));
  expect(message).toBe("rpc error: code = FailedPrecondition desc = no");
});
