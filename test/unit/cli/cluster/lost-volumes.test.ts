// What is left in the API of local volumes whose node was removed with its disk.
import { expect, test } from "vitest";
import { persistentVolumeClaims } from "../../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../../api/core/persistentvolumes.ts";
import { selectedNode } from "../../../../api/core/volume-matching.ts";
import { key } from "../../../../api/meta.ts";
import { forgetVolumes } from "../../../../cli/cluster/lost-volumes.ts";
import { provisioningFinalizer } from "../../../../controllers/csi/provision.ts";
import { localDriver, sharedDriver } from "../../../../csi/driver/profile.ts";
import { type Running, server, whileControlled } from "../../controllers/running.ts";

const finalizers = ["external-provisioner.volume.kubernetes.io/finalizer"];
interface Made {
  readonly node?: string;
  readonly driver?: string;
  readonly policy?: string;
  readonly claimRef?: object;
}
const make = ({ client }: Running, name: string, { node = "n1", driver = localDriver.name, ...more }: Made = {}) =>
  client.create(persistentVolumes, {
    kind: "PersistentVolume",
    metadata: { name, finalizers },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      csi: { driver, volumeHandle: name },
      persistentVolumeReclaimPolicy: more.policy ?? "Delete",
      ...(more.claimRef && { claimRef: more.claimRef }),
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: localDriver.topologyKey!, operator: "In", values: [node] }] },
          ],
        },
      },
    },
  } as never);
const claim = ({ client }: Running, name: string, metadata: object, volumeName?: string) =>
  client.create(persistentVolumeClaims, {
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default", ...metadata },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "local",
      ...(volumeName && { volumeName }),
    },
  } as never);
const names = async ({ client }: Running) =>
  (await client.list(persistentVolumes)).items.map(({ metadata }) => metadata.name);

test("volumes of the node go, also those that wait for their driver; all others stay", async () => {
  const running = await server();
  await make(running, "released");
  await make(running, "terminating");
  await running.client.delete(persistentVolumes, key(undefined, "terminating"));
  await make(running, "elsewhere", { node: "n2" });
  await make(running, "shared", { driver: sharedDriver.name });
  await make(running, "retained", { policy: "Retain" });
  for (const volume of ["elsewhere", "retained", "shared"]) await claim(running, `of-${volume}`, {}, volume);
  expect(await forgetVolumes(running.client, "n1")).toEqual(["default/of-retained"]);
  expect(await names(running)).toEqual(["elsewhere", "retained", "shared"]);
});

test("a claim that was bound to one is lost, and can be deleted", async () => {
  const running = await server();
  const { metadata } = await claim(running, "data", {}, "pv");
  const { uid, name, namespace } = metadata;
  await make(running, "pv", { claimRef: { kind: "PersistentVolumeClaim", uid, name, namespace } });
  await whileControlled(running, {}, async () => {
    await running.pass(5);
    expect(await forgetVolumes(running.client, "n1")).toEqual(["default/data"]);
    await running.pass(5);
    const { status } = await running.client.get(persistentVolumeClaims, key("default", "data"));
    expect(status?.phase).toBe("Lost");
    await running.client.delete(persistentVolumeClaims, key("default", "data"));
    await running.pass(5);
  });
  expect((await running.client.list(persistentVolumeClaims)).items).toEqual([]);
});

test("a claim whose volume the node was to make is for another node", async () => {
  const running = await server();
  const ofNode = provisioningFinalizer({ driver: localDriver.name, node: { name: "n1" } });
  await claim(running, "data", { annotations: { [selectedNode]: "n1" }, finalizers: [ofNode] });
  await claim(running, "other", { annotations: { [selectedNode]: "n2" } });
  await forgetVolumes(running.client, "n1");
  const found = (await running.client.list(persistentVolumeClaims)).items;
  expect(found.map(({ metadata }) => [metadata.annotations?.[selectedNode], metadata.finalizers])).toEqual([
    [undefined, ["kubernetes.io/pvc-protection"]],
    ["n2", ["kubernetes.io/pvc-protection"]],
  ]);
});
