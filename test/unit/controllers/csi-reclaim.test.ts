// The reclaim of volumes: marked as deleted, then deleted by the driver, and kept when they are bound or retained.
import { expect, test } from "vitest";
import type { PersistentVolume } from "../../../api/generated/types.ts";
import { decideReclaim } from "../../../controllers/csi/reclaim.ts";
import type { DriverOptions } from "../../../controllers/csi/sidecar.ts";
import { attachment, csi, driverThat, node, outcome } from "./csi-driver.ts";
import { volume } from "./volumes.ts";
import { ago } from "./world.ts";

const finalizer = "external-provisioner.volume.kubernetes.io/finalizer";
const released = (metadata: object = {}, spec: object = {}): PersistentVolume =>
  volume({
    metadata: { resourceVersion: "7", finalizers: [finalizer], ...metadata },
    spec: { ...csi, persistentVolumeReclaimPolicy: "Delete", ...spec },
    status: { phase: "Released" },
  });
const gone = { deletionTimestamp: ago(1) };
const affinity = (zone: string) => ({
  nodeAffinity: {
    required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "zone", operator: "In", values: [zone] }] }] },
  },
});
const rows: readonly (readonly [string, PersistentVolume, readonly string[], Partial<DriverOptions>?])[] = [
  ["marked as deleted first", released(), ["delete"]],
  ["then deleted, and let go", released(gone), ["patch"]],
  ["let go", released({ ...gone, finalizers: [] }), []],
  ["bound: kept", { ...released(gone), status: { phase: "Bound" } }, []],
  ["retained: kept", released({ finalizers: [] }, { persistentVolumeReclaimPolicy: "Retain" }), []],
  ["retained from now on", released({}, { persistentVolumeReclaimPolicy: "Retain" }), ["patch"]],
  ["protected before it is needed", { ...released({ finalizers: [] }), status: { phase: "Bound" } }, ["patch"]],
  ["of another driver", released({}, { csi: { driver: "d", volumeHandle: "h" } }), []],
  ["made by another provisioner", released({ annotations: { "pv.kubernetes.io/provisioned-by": "d" } }), []],
  ["of this node", released({}, affinity("z1")), ["delete"], { node }],
  ["of another node", released({}, affinity("z2")), [], { node }],
  ["of an unknown node", released(), [], { node }],
];
for (const [what, of, does, more] of rows)
  test(`reclaim: ${what}`, async () =>
    expect(await outcome(decideReclaim({ volume: of, attachments: [] }, driverThat({}, more).options))).toEqual(does));

test("reclaim: only this version is marked", () =>
  expect(decideReclaim({ volume: released(), attachments: [] }, driverThat({}).options).actions).toMatchObject([
    { do: "delete", options: { resourceVersion: "7" } },
  ]));
test("reclaim: the driver fails", async () =>
  expect(
    await outcome(decideReclaim({ volume: released(gone), attachments: [] }, driverThat("INTERNAL").options)),
  ).toEqual(["Warning VolumeFailedDelete: rpc error: code = Internal desc = no", "retry"]));
test("reclaim: still attached", async () =>
  expect(
    await outcome(decideReclaim({ volume: released(gone), attachments: [attachment()] }, driverThat({}).options)),
  ).toEqual(["Warning VolumeFailedDelete: persistentvolume pv is still attached to node n1", "retry"]));
