// Controllers of claims and volumes beside drivers in memory, in virtual time.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { runDriverControllers } from "../../../controllers/csi/controllers.ts";
import type { DriverCalls } from "../../../controllers/csi/sidecar.ts";
import {
  claimProtectionController,
  volumeProtectionController,
} from "../../../controllers/storageprotection/controller.ts";
import { attachDetachController } from "../../../controllers/volumes/attach-detach.ts";
import { ephemeralVolumeController } from "../../../controllers/volumes/ephemeral.ts";
import { claimBinder, volumeBinder } from "../../../controllers/volumes/controller.ts";
import { snapshotContentController, snapshotController } from "../../../controllers/snapshots/controller.ts";
import { sharedViews } from "../../../machinery/informer.ts";
import { runController } from "../../../machinery/reconcile.ts";
import { type MemoryDriver, type MemoryDriverOptions, memoryDriver } from "../../suites/memory-driver.ts";
import { killable, type Process } from "./killable.ts";
import { type Running, server } from "./running.ts";

export const driverName = "memory.csi.example.com";
export const segmentsOf = (node: string) => ({ "example.com/node": node });

export interface Cluster extends Running {
  /** The driver of each node; `cluster` for one that serves all nodes. */
  readonly drivers: Readonly<Record<string, MemoryDriver>>;
  readonly process: Process;
  /** Starts the controllers, unless they run. Returns once the clock has advanced. */
  run(seconds: number): Promise<void>;
  stop(): Promise<void>;
  claim(name: string): Promise<PersistentVolumeClaim | undefined>;
  volumes(): Promise<readonly PersistentVolume[]>;
  create(name: string, spec?: object, metadata?: object): Promise<PersistentVolumeClaim>;
  patch(name: string, patch: object): Promise<void>;
}
type Objects = Pick<Cluster, "claim" | "volumes" | "create" | "patch">;

const claimKey = (name: string) => key("default", name);
const objects = ({ client }: Running): Objects => ({
  claim: (name) => client.get(persistentVolumeClaims, claimKey(name)).catch(() => undefined),
  volumes: async () => (await client.list(persistentVolumes)).items,
  create: (name, spec = {}, metadata = {}) =>
    client.create(persistentVolumeClaims, {
      kind: "PersistentVolumeClaim",
      metadata: { name, namespace: "default", ...metadata },
      spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        storageClassName: "fast",
        ...spec,
      },
    } as never),
  async patch(name, patch) {
    await client.patch(persistentVolumeClaims, claimKey(name), { type: "merge", patch });
  },
});

/** What the controllers beside a driver know of it; its calls are steps of the process. */
const optionsOf = (process: Process, driver: MemoryDriver, node: string | undefined) => ({
  driver: driverName,
  calls: new Proxy(driver.calls, {
    get: (calls, method) => (request: never) =>
      process.step<unknown>(() => calls[method as keyof DriverCalls](request)),
  }),
  ...(node !== undefined && { node: { name: node, segments: segmentsOf(node) } }),
});

/** A cluster with the class `fast`, whose driver serves all nodes, or runs on each of these nodes. */
export async function cluster(
  nodes: readonly string[] = [],
  classFields: object = {},
  options: MemoryDriverOptions = {},
): Promise<Cluster> {
  const running = await server();
  const { world } = running;
  await running.client.create(storageClasses, {
    kind: "StorageClass",
    metadata: { name: "fast" },
    provisioner: driverName,
    allowVolumeExpansion: true,
    ...classFields,
  } as never);
  const process = killable();
  const client = process.client(running.client);
  const ofNodes = nodes.map((node) => [node, memoryDriver({ ...options, segments: segmentsOf(node) })] as const);
  const drivers = nodes.length > 0 ? ofNodes : [["cluster", memoryDriver(options)] as const];
  let isStarted = false;
  const start = (): void => {
    process.restart();
    isStarted = true;
    const { signal } = process;
    const views = sharedViews(client, world);
    const protection = [claimProtectionController, volumeProtectionController];
    const snapshots = [snapshotController, snapshotContentController];
    const binders = [claimBinder, volumeBinder, attachDetachController(), ephemeralVolumeController];
    const all = [...binders, ...protection, ...snapshots];
    void Promise.allSettled([
      ...all.map((c) => runController(c, { client, world, views }, signal, { workers: 4 })),
      views.run(signal),
      ...drivers.map(([name, driver]) =>
        runDriverControllers(optionsOf(process, driver, nodes.length > 0 ? name : undefined), client, world, signal),
      ),
    ]);
  };
  return {
    ...running,
    ...objects(running),
    drivers: Object.fromEntries(drivers),
    process,
    async run(seconds) {
      if (!isStarted || process.signal.aborted) start();
      await running.pass(seconds);
    },
    async stop() {
      process.kill();
      await running.pass(1);
    },
  };
}
