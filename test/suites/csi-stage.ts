// A kubelet with a CSI driver beside it, a claim on one of its volumes, and what tests do with them.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CSIDriver, PersistentVolume, PodSpec } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { csiDrivers } from "../../api/storage/csi.ts";
import { mountEntries, mountsBelow } from "../../machinery/mount-table.ts";
import { type Backend, pathsBelow, type TestDriver, testDriver } from "./csi-driver.ts";
import { image, openStage, runForever, type Stage, until } from "./kubelet-stage.ts";

type VolumeMode = "Filesystem" | "Block";
type AccessModes = NonNullable<PersistentVolume["spec"]["accessModes"]>;

export interface CsiStage {
  readonly stage: Stage;
  readonly driver: TestDriver;
  /** Creates the driver's object, by default without attachments. */
  driverObject(spec?: CSIDriver["spec"]): Promise<void>;
  /** Creates a volume of the driver, bound to the claim `data`; resolves with its handle. */
  boundVolume(accessModes?: AccessModes, volumeMode?: VolumeMode): Promise<string>;
  /** Where a volume of a pod is mounted. */
  target(podUid: string): string;
  /** Where the device of a block volume of a pod is. */
  device(podUid: string): string;
  isGone(pod: string): Promise<unknown>;
  /** Deletes the pod, and resolves once it is gone. */
  remove(pod: string): Promise<void>;
  /** Resolves once no folder of a pod or a staged volume is left, and nothing is mounted. */
  nothingIsLeft(): Promise<unknown>;
  /** The messages of the events about a pod whose volumes could not be set up. */
  failures(pod: string): Promise<readonly string[]>;
  /** Restarts kubelet and driver, and resolves once the volume of the one pod has been published anew. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** A pod that uses the claim `data`. */
export const using: Partial<PodSpec> = {
  volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
  containers: [{ name: "c", image, command: runForever, volumeMounts: [{ name: "v", mountPath: "/v" }] }],
};

const size = { storage: "1Gi" };

async function bind(
  { client }: Stage,
  driver: TestDriver,
  accessModes: AccessModes,
  volumeMode: VolumeMode,
): Promise<string> {
  const mode = { accessMode: { mode: "SINGLE_NODE_WRITER" as const } };
  const capability = volumeMode === "Block" ? { block: {}, ...mode } : { mount: {}, ...mode };
  const { volume } = await driver.controller.CreateVolume({ name: "pv-1", volumeCapabilities: [capability] });
  const claim = await client.create(persistentVolumeClaims, {
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default" },
    spec: { accessModes, volumeMode, volumeName: "pv-1", storageClassName: "", resources: { requests: size } },
  });
  const claimRef = { kind: "PersistentVolumeClaim", name: "data", namespace: "default", uid: claim.metadata.uid };
  await client.create(persistentVolumes, {
    kind: "PersistentVolume",
    metadata: { name: "pv-1" },
    spec: {
      ...{ accessModes, volumeMode, capacity: size, claimRef },
      csi: { driver: driver.name, volumeHandle: volume!.volumeId },
    },
  });
  const status = { phase: "Bound" as const, accessModes, capacity: size };
  await client.update(persistentVolumeClaims, { ...claim, status }, "status");
  return volume!.volumeId;
}

const mountedBelow = (folder: string): readonly string[] =>
  mountsBelow(mountEntries(readFileSync("/proc/self/mountinfo", "utf8")), folder);

/** The stage with its kubelet and its driver started. */
export async function openCsiStage(backend: Backend): Promise<CsiStage> {
  const stage = await openStage();
  const { client, stateDir } = stage;
  const root = mkdtempSync(join(tmpdir(), "orrery-csi-"));
  const driver = await testDriver(stateDir, root, backend);
  stage.start();
  const isGone: CsiStage["isGone"] = (pod) =>
    until(
      () => stage.find(pod),
      (found) => found === undefined,
    );
  return {
    stage,
    driver,
    async driverObject(spec = {}) {
      const draft = { kind: "CSIDriver" as const, metadata: { name: driver.name } };
      await client.create(csiDrivers, { ...draft, spec: { attachRequired: false, fsGroupPolicy: "File", ...spec } });
    },
    boundVolume: (accessModes = ["ReadWriteOnce"], volumeMode = "Filesystem") =>
      bind(stage, driver, accessModes, volumeMode),
    target: (podUid) => join(stateDir, "pods", podUid, "volumes/kubernetes.io~csi/pv-1/mount"),
    device: (podUid) => join(stateDir, "plugins/kubernetes.io/csi/volumeDevices/publish/pv-1", podUid),
    isGone,
    async remove(pod) {
      await client.delete(pods, key("default", pod), { gracePeriodSeconds: 1 });
      await isGone(pod);
    },
    async restart() {
      await stage.stop();
      driver.stop();
      await driver.start();
      stage.start();
      await until(
        async () => driver.calls.filter((call) => call === "NodePublishVolume"),
        (calls) => calls.length === 2,
      );
    },
    nothingIsLeft: () =>
      until(
        async () => [
          ...pathsBelow(join(stateDir, "pods")),
          ...pathsBelow(join(stateDir, "plugins/kubernetes.io/csi", driver.name)),
          ...pathsBelow(join(stateDir, "plugins/kubernetes.io/csi/volumeDevices/publish")),
          ...pathsBelow(join(stateDir, "plugins/kubernetes.io/csi/volumeDevices/staging")),
          ...mountedBelow(stateDir),
        ],
        (paths) => paths.length === 0,
      ),
    failures: async (pod) =>
      (await stage.eventsOf(pod))
        .filter((e) => ["FailedMount", "FailedMapVolume"].includes(e.reason))
        .map((e) => e.message),
    async close() {
      driver.stop();
      await stage.close();
      rmSync(root, { recursive: true });
    },
  };
}
