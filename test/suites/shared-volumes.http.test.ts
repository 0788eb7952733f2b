// Claims of the class `shared`, by the real driver over a temporary folder, its controllers, and an API server over HTTP.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import type { PersistentVolumeClaim } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import { csiDrivers } from "../../api/storage/csi.ts";
import { storageClasses } from "../../api/storage/storageclasses.ts";
import { connection } from "../../cli/client/connection.ts";
import { createStorageClasses } from "../../cli/cluster/storage-classes.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { runDriverControllers } from "../../controllers/csi/controllers.ts";
import { runDriver } from "../../csi/driver/driver.ts";
import { sharedDriver } from "../../csi/driver/profile.ts";
import { controllerService } from "../../csi/protocol/controller.ts";
import { connectTo } from "../../csi/protocol/grpc.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { csiCredentials } from "../../cli/cluster/credentials.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const world = realWorld(() => {});
const stop = new AbortController();
const folder = mkdtempSync(join(tmpdir(), "shared-volumes-"));
const socketPath = join(folder, "csi.sock");
const service = connectTo(socketPath, controllerService, world.clock);
const running: Promise<unknown>[] = [];
let server: TestServer;

beforeAll(async () => {
  server = await listeningServer();
  const { url, ca, admin } = server;
  const access = { url, ca, ...(await csiCredentials(server.authority, "n1")), userAgent: "test" };
  const client = httpClient(access, world, stop.signal);
  const root = join(folder, "volumes");
  const autoscaler = { periodMs: 15_000, shrinkWindowSeconds: 300 };
  const options = { rootCa: ca, clusterCidr: "10.244.0.0/16", nodeGraceMs: 50_000, autoscaler };
  running.push(
    runControllers(server.as("kube-controller-manager"), world, options, stop.signal),
    runDriver({ profile: sharedDriver, node: "n1", root, socketPath }, world, stop.signal),
    runDriverControllers({ driver: sharedDriver.name, calls: service.call }, client, world, stop.signal),
  );
  const api = connection({ server: url, ca, ...admin });
  await createStorageClasses(api);
  // A second attempt finds the objects.
  await createStorageClasses(api);
});
afterAll(async () => {
  stop.abort();
  await Promise.allSettled(running);
  service.close();
  await server.close();
  rmSync(folder, { recursive: true });
});

const create = (name: string, spec: object): Promise<PersistentVolumeClaim> =>
  server.inProcess.create(persistentVolumeClaims, {
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace: "default" },
    spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "1Gi" } }, ...spec },
  });
const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const folders = (): readonly string[] => readdirSync(join(folder, "volumes", "volumes"));

test("a new cluster has two classes, one of them the default", async () => {
  const { items } = await server.inProcess.list(storageClasses);
  expect(items.map((c) => [c.metadata.name, c.volumeBindingMode, c.allowVolumeExpansion])).toEqual([
    ["local", "WaitForFirstConsumer", true],
    ["shared", "Immediate", true],
  ]);
  const drivers = await server.inProcess.list(csiDrivers);
  expect(drivers.items.map(({ spec }) => [spec.attachRequired, spec.fsGroupPolicy])).toEqual([
    [false, "File"],
    [false, "File"],
  ]);
  expect((await create("usual", {})).spec.storageClassName).toBe("local");
});

test("a shared claim is bound, grows, and its folder goes with it", async () => {
  const { inProcess } = server;
  await create("data", { storageClassName: "shared" });
  const at = key("default", "data");
  const capacity = async () => (await inProcess.get(persistentVolumeClaims, at)).status?.capacity?.["storage"];
  await eventually(async () => expect(await capacity()).toBe("1Gi"));
  expect(folders()).toHaveLength(1);
  const patch = { spec: { resources: { requests: { storage: "2Gi" } } } };
  await inProcess.patch(persistentVolumeClaims, at, { type: "merge", patch });
  await eventually(async () => expect(await capacity()).toBe("2Gi"));
  await inProcess.delete(persistentVolumeClaims, at);
  await eventually(async () => expect((await inProcess.list(persistentVolumes)).items).toEqual([]));
  expect(folders()).toEqual([]);
});
