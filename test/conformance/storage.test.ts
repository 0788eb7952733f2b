// The API of volumes and claims; nothing is mounted.
import { CoreV1Api } from "@kubernetes/client-node";
import { expect, vi } from "vitest";
import { behaviour, type ScenarioContext } from "./behaviour.ts";
import { waitOptions, whileControlled } from "./running-controllers.ts";
import { patched } from "./requests.ts";

const volume = (name: string, labels: object): any => ({
  metadata: { name, labels },
  spec: {
    accessModes: ["ReadWriteOnce"],
    capacity: { storage: "2Gi" },
    persistentVolumeReclaimPolicy: "Retain",
    csi: { driver: "e2e-driver-1", volumeHandle: "e2e" },
  },
});
const claim = (name: string, labels: object): any => ({
  metadata: { name, labels },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "2Gi" } }, storageClassName: "manual" },
});

/** A volume and a claim with a unique label. */
async function made(
  context: ScenarioContext,
): Promise<{ readonly pv: string; readonly pvc: string; readonly labelSelector: string }> {
  const core = context.client(CoreV1Api);
  const labels = { e2e: context.namespace };
  const [pv, pvc] = [`pv-${context.namespace}`, "claim"];
  await core.createPersistentVolume({ body: volume(pv, labels) });
  await core.createNamespacedPersistentVolumeClaim({ namespace: context.namespace, body: claim(pvc, labels) });
  return { pv, pvc, labelSelector: `e2e=${context.namespace}` };
}

behaviour("PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC", async (context) => {
  const { send, client, namespace } = context;
  const core = client(CoreV1Api);
  const { pv, pvc, labelSelector } = await made(context);
  expect((await core.listPersistentVolume({ labelSelector })).items).toHaveLength(1);
  expect((await core.listNamespacedPersistentVolumeClaim({ namespace, labelSelector })).items).toHaveLength(1);
  const claims = `/api/v1/namespaces/${namespace}/persistentvolumeclaims`;
  await patched(send, `/api/v1/persistentvolumes/${pv}`, { metadata: { labels: { [pv]: "patched" } } });
  await patched(send, `${claims}/${pvc}`, { metadata: { labels: { [pvc]: "patched" } } });
  const [read, claim] = [
    await core.readPersistentVolume({ name: pv }),
    await core.readNamespacedPersistentVolumeClaim({ namespace, name: pvc }),
  ];
  expect([read.metadata?.labels?.[pv], claim.metadata?.labels?.[pvc]]).toEqual(["patched", "patched"]);
  read.metadata!.labels![pv] = "updated";
  claim.metadata!.labels![pvc] = "updated";
  await core.replacePersistentVolume({ name: pv, body: read });
  await core.replaceNamespacedPersistentVolumeClaim({ namespace, name: pvc, body: claim });
  expect((await core.listPersistentVolume({ labelSelector: `${pv}=updated` })).items).toHaveLength(1);
  const nothingIsLeft = (): Promise<void> =>
    vi.waitFor(async () => {
      expect((await core.listPersistentVolume({ labelSelector })).items).toEqual([]);
      expect((await core.listNamespacedPersistentVolumeClaim({ namespace, labelSelector })).items).toEqual([]);
    }, waitOptions);
  // The protection controllers remove the finalizers.
  await whileControlled(context, async () => {
    await core.deleteNamespacedPersistentVolumeClaim({ namespace, name: pvc });
    await core.deletePersistentVolume({ name: pv });
    await nothingIsLeft();

    await made(context);
    await core.deleteCollectionNamespacedPersistentVolumeClaim({ namespace, labelSelector });
    await core.deleteCollectionPersistentVolume({ labelSelector });
    await nothingIsLeft();
  });
});

behaviour("PersistentVolumes CSI Conformance should apply changes to a pv/pvc status", async (context) => {
  const { send, client, namespace } = context;
  const core = client(CoreV1Api);
  const { pv, pvc } = await made(context);
  const [claim, read] = [
    await core.readNamespacedPersistentVolumeClaimStatus({ namespace, name: pvc }),
    await core.readPersistentVolumeStatus({ name: pv }),
  ];
  expect([claim.status?.phase, read.status?.phase]).toEqual(["Pending", "Pending"]);
  const path = `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${pvc}/status`;
  const condition = { type: "StatusPatched", status: "True", reason: "E2E patchedStatus", message: "Set by e2e test" };
  const conditions = (await patched(send, path, { status: { conditions: [condition] } })).status.conditions;
  expect(conditions).toEqual([condition]);
  await patched(send, `/api/v1/persistentvolumes/${pv}/status`, {
    status: { message: "StatusPatched", reason: "E2E" },
  });
  const seen = await core.readPersistentVolumeStatus({ name: pv });
  expect(seen.status).toMatchObject({ message: "StatusPatched", reason: "E2E" });
  seen.status = { ...seen.status, message: "StatusUpdated" };
  expect((await core.replacePersistentVolumeStatus({ name: pv, body: seen })).status?.message).toBe("StatusUpdated");
  const again = await core.readNamespacedPersistentVolumeClaimStatus({ namespace, name: pvc });
  again.status!.conditions = [...again.status!.conditions!, { ...condition, type: "StatusUpdated" }];
  const written = await core.replaceNamespacedPersistentVolumeClaimStatus({ namespace, name: pvc, body: again });
  expect(written.status?.conditions?.map((c) => c.type)).toEqual(["StatusPatched", "StatusUpdated"]);
});
