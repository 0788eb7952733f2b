// Volumes of a CSI driver on a kubelet with a simulated engine: staged, published and removed, in order and once, also
// when the kubelet or the driver ends in between.
import { mkdtempSync, rmSync, statSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CSIDriver, PersistentVolume, PodSpec } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { csiDrivers, csiNodes, volumeAttachments } from "../../api/storage/csi.ts";
import { RpcError } from "../../csi/protocol/grpc.ts";
import { attachmentName } from "../../kubelet/volumes/csi/volume.ts";
import { summaryOf, volumeMetrics } from "../../kubelet/volumes/volume-stats.ts";
import { linkedMounts, type NodeCall, pathsBelow, type TestDriver, testDriver } from "./csi-driver.ts";
import { image, openStage, runForever, sh, type Stage, until } from "./kubelet-stage.ts";

let stage: Stage;
let root: string;
let driver: TestDriver;
beforeEach(async () => {
  stage = await openStage();
  root = mkdtempSync(join(tmpdir(), "orrery-csi-"));
  driver = await testDriver(stage.stateDir, root, { mounts: linkedMounts(), backing: "folder" });
  stage.start();
});
afterEach(async () => {
  driver.stop();
  await stage.close();
  rmSync(root, { recursive: true });
});

type Modes = NonNullable<PersistentVolume["spec"]["accessModes"]>;
const size = { storage: "1Gi" };

async function driverObject(spec: CSIDriver["spec"] = {}): Promise<void> {
  const draft = { kind: "CSIDriver" as const, metadata: { name: driver.name } };
  await stage.client.create(csiDrivers, { ...draft, spec: { attachRequired: false, fsGroupPolicy: "File", ...spec } });
}

/** A volume of the driver, bound to the claim `data`; resolves with its handle. */
async function boundVolume(accessModes: Modes = ["ReadWriteOnce"]): Promise<string> {
  const capability = { mount: {}, accessMode: { mode: "SINGLE_NODE_WRITER" as const } };
  const { volume } = await driver.controller.CreateVolume({ name: "pv-1", volumeCapabilities: [capability] });
  const claim = await stage.client.create(persistentVolumeClaims, {
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default" },
    spec: { accessModes, volumeName: "pv-1", storageClassName: "", resources: { requests: size } },
  });
  const claimRef = { kind: "PersistentVolumeClaim", name: "data", namespace: "default", uid: claim.metadata.uid };
  await stage.client.create(persistentVolumes, {
    kind: "PersistentVolume",
    metadata: { name: "pv-1" },
    spec: { accessModes, capacity: size, claimRef, csi: { driver: driver.name, volumeHandle: volume!.volumeId } },
  });
  const status = { phase: "Bound" as const, accessModes, capacity: size };
  await stage.client.update(persistentVolumeClaims, { ...claim, status }, "status");
  return volume!.volumeId;
}
const using: Partial<PodSpec> = {
  volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
  containers: [{ name: "c", image, command: runForever, volumeMounts: [{ name: "v", mountPath: "/v" }] }],
};
const target = (uid: string, volume = "pv-1"): string =>
  join(stage.stateDir, "pods", uid, "volumes/kubernetes.io~csi", volume, "mount");
const staging = (): string => join(stage.stateDir, "plugins/kubernetes.io/csi");
const isGone = (name: string): Promise<unknown> =>
  until(
    () => stage.find(name),
    (pod) => pod === undefined,
  );
async function remove(name: string): Promise<void> {
  await stage.client.delete(pods, key("default", name), { gracePeriodSeconds: 1 });
  await isGone(name);
}
const nothingIsLeft = (): Promise<unknown> =>
  until(
    async () => [...pathsBelow(join(stage.stateDir, "pods")), ...pathsBelow(join(staging(), driver.name))],
    (paths) => paths.length === 0,
  );
const failures = async (name: string): Promise<readonly string[]> =>
  (await stage.eventsOf(name)).filter((e) => e.reason === "FailedMount").map((e) => e.message);

test("a driver that registers is in the CSINode and in the labels of the node, until its socket is gone", async () => {
  const drivers = async () =>
    (await stage.client.get(csiNodes, key(undefined, "n1")).catch(() => undefined))?.spec.drivers;
  const topology = "topology.local.csi.orrery.dev/node";
  await until(drivers, (d) => d?.length === 1);
  expect(await drivers()).toEqual([{ name: driver.name, nodeID: "n1", topologyKeys: [topology] }]);
  const { labels, annotations } = (await stage.client.get(nodes, key(undefined, "n1"))).metadata;
  expect(labels?.[topology]).toBe("n1");
  expect(annotations?.["csi.volume.kubernetes.io/nodeid"]).toBe(JSON.stringify({ [driver.name]: "n1" }));
  driver.stop();
  await until(drivers, (d) => d?.length === 0);
  await driver.start();
  await until(drivers, (d) => d?.length === 1);
});

describe("a volume of a driver", () => {
  test("is staged and published once, keeps its files for the next pod, and leaves nothing behind", async () => {
    await driverObject();
    await boundVolume();
    await stage.bind("web", using);
    const { metadata } = await stage.ready("web");
    writeFileSync(join(target(metadata.uid), "file"), "kept");
    expect(driver.calls).toEqual(["NodeStageVolume", "NodePublishVolume"]);
    await remove("web");
    expect(driver.calls.slice(2)).toEqual(["NodeUnpublishVolume", "NodeUnstageVolume"]);
    await nothingIsLeft();
    await stage.bind("next", using);
    const next = await stage.ready("next");
    expect(readFileSync(join(target(next.metadata.uid), "file"), "utf8")).toBe("kept");
  });

  test("is unstaged after its last pod", async () => {
    await driverObject();
    await boundVolume();
    for (const name of ["a", "b"]) await stage.bind(name, using);
    for (const name of ["a", "b"]) await stage.ready(name);
    await remove("a");
    expect(driver.calls).not.toContain("NodeUnstageVolume");
    await remove("b");
    expect(driver.calls.filter((c) => c === "NodeUnstageVolume")).toHaveLength(1);
    await nothingIsLeft();
  });

  test("is unmounted when its pod completes", async () => {
    await driverObject();
    await boundVolume();
    const containers = [{ ...using.containers![0]!, command: sh("exit 0") }];
    await stage.bind("job", { ...using, restartPolicy: "Never", containers });
    await until(
      () => stage.find("job"),
      (pod) => pod?.status?.phase === "Succeeded",
    );
    await until(
      async () => driver.calls,
      (calls) => calls.includes("NodeUnstageVolume"),
    );
    await remove("job");
    await nothingIsLeft();
  });

  test("is given to the pod's group", async () => {
    await driverObject();
    await boundVolume();
    const fsGroup = process.getuid?.() === 0 ? 4_711 : process.getgid!();
    await stage.bind("web", { ...using, securityContext: { fsGroup } });
    const { metadata } = await stage.ready("web");
    const { gid, mode } = statSync(target(metadata.uid));
    expect([gid, mode & 0o2770]).toEqual([fsGroup, 0o2770]);
  });
});

test("the usage of a volume is in the stats and the metrics of the node, by its claim", async () => {
  await driverObject();
  await boundVolume();
  await stage.bind("web", using);
  const { metadata } = await stage.ready("web");
  const [stats, ...others] = await stage.volumes();
  expect(others).toEqual([]);
  expect(stats).toMatchObject({ podUid: metadata.uid, name: "v", claim: { name: "data", namespace: "default" } });
  expect(stats?.usage).toMatchObject({ capacityBytes: 2 ** 30, inodes: expect.any(Number) });
  expect(summaryOf([stats!], metadata.uid)).toEqual([
    { time: expect.any(String), ...stats?.usage, name: "v", pvcRef: { name: "data", namespace: "default" } },
  ]);
  expect(volumeMetrics([stats!, stats!]).split("\n")).toContain(
    'kubelet_volume_stats_capacity_bytes{namespace="default",persistentvolumeclaim="data"} 1073741824',
  );
});

describe("a pod waits for its volume", () => {
  test("until the driver is there", async () => {
    await driverObject();
    await boundVolume();
    driver.stop();
    await stage.bind("web", using);
    await until(
      () => failures("web"),
      (seen) => seen.some((m) => m.startsWith('MountVolume.MountDevice failed for volume "pv-1" : ')),
    );
    await driver.start();
    await stage.ready("web");
  });

  test("until it is attached, where the driver demands it", async () => {
    await driverObject({ attachRequired: true });
    const handle = await boundVolume();
    await stage.bind("web", using);
    const name = attachmentName({ driver: driver.name, handle }, "n1");
    const made = await stage.client.create(volumeAttachments, {
      kind: "VolumeAttachment",
      metadata: { name },
      spec: { attacher: driver.name, nodeName: "n1", source: { persistentVolumeName: "pv-1" } },
    });
    expect(driver.calls).toEqual([]);
    const status = { attached: true, attachmentMetadata: { device: "a" } };
    await stage.client.update(volumeAttachments, { ...made, status }, "status");
    await stage.ready("web");
  });

  test("while another pod has it with ReadWriteOncePod", async () => {
    await driverObject();
    await boundVolume(["ReadWriteOncePod"]);
    await stage.bind("a", using);
    await stage.ready("a");
    await stage.bind("b", using);
    await until(
      () => failures("b"),
      (seen) =>
        seen.includes(
          'MountVolume.SetUp failed for volume "pv-1" : ' +
            "volume uses the ReadWriteOncePod access mode and is already in use by another pod",
        ),
    );
    await remove("a");
    await stage.ready("b");
  });
});

describe("a kubelet that ends during", () => {
  const steps: readonly NodeCall[] = [
    "NodeStageVolume",
    "NodePublishVolume",
    "NodeUnpublishVolume",
    "NodeUnstageVolume",
  ];
  const cases = steps.flatMap((call) => (["before", "after"] as const).map((when) => [call, when] as const));
  const never = new Promise<void>(() => {});
  /** Starts the kubelet again once it has made this call, which it hears nothing of any more. */
  async function restartDuring(call: NodeCall, when: "before" | "after"): Promise<void> {
    const reached = Promise.withResolvers<void>();
    driver.onCall((made, at) => {
      if (made !== call || at !== when) return;
      reached.resolve();
      return never;
    });
    await reached.promise;
    driver.onCall(() => {});
    await stage.stop();
    driver.stop();
    await driver.start();
    stage.start();
  }

  test.each(cases)("%s (%s the driver has done it) leaves nothing behind and loses nothing", async (call, when) => {
    await driverObject();
    await boundVolume();
    if (call === "NodeStageVolume" || call === "NodePublishVolume") {
      const restarted = restartDuring(call, when);
      await stage.bind("web", using);
      await restarted;
      await stage.ready("web");
      await remove("web");
    } else {
      await stage.bind("web", using);
      await stage.ready("web");
      const restarted = restartDuring(call, when);
      await stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 1 });
      await restarted;
      await isGone("web");
    }
    await nothingIsLeft();
  });

  test.each(cases.slice(0, 4))("%s (%s), whose pod is deleted meanwhile, leaves nothing behind", async (call, when) => {
    await driverObject();
    await boundVolume();
    const reached = Promise.withResolvers<void>();
    driver.onCall((made, at) => {
      if (made !== call || at !== when) return;
      reached.resolve();
      return never;
    });
    await stage.bind("web", using);
    await reached.promise;
    driver.onCall(() => {});
    await stage.stop();
    const uid = (await stage.find("web"))!.metadata.uid;
    // Forced, as by a garbage collector of pods: the kubelet is not asked.
    await stage.client.delete(pods, key("default", "web"), { uid, gracePeriodSeconds: 0 });
    driver.stop();
    await driver.start();
    stage.start();
    await isGone("web");
    await nothingIsLeft();
  });
});

test("a pod that is deleted while its volume is mounted leaves nothing behind", async () => {
  await driverObject();
  await boundVolume();
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  driver.onCall((call, when) => {
    if (call !== "NodeStageVolume" || when === "after") return;
    reached.resolve();
    return released.promise;
  });
  await stage.bind("web", using);
  await reached.promise;
  await stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 0 });
  await isGone("web");
  await until(
    async () => (await stage.runtime.list(undefined, AbortSignal.timeout(1_000))).sandboxes,
    (sandboxes) => sandboxes.length === 0,
  );
  released.resolve();
  await until(
    async () => driver.calls,
    (calls) => calls.includes("NodeUnstageVolume"),
  );
  await nothingIsLeft();
});

describe("a volume that was grown", () => {
  const claimNow = () => stage.client.get(persistentVolumeClaims, key("default", "data"));
  /** The volume after its controller has grown it, and left the file system to the node. */
  async function grown(): Promise<void> {
    const pv = await stage.client.get(persistentVolumes, key(undefined, "pv-1"));
    const capacity = { storage: "2Gi" };
    await driver.controller.ControllerExpandVolume({
      volumeId: pv.spec.csi!.volumeHandle,
      capacityRange: { requiredBytes: 2 * 2 ** 30 },
    });
    await stage.client.update(persistentVolumes, { ...pv, spec: { ...pv.spec, capacity } });
    const claim = await claimNow();
    const pending = { type: "FileSystemResizePending", status: "True" as const };
    const allocatedResourceStatuses = { storage: "NodeResizePending" };
    const status = { ...claim.status, allocatedResourceStatuses, conditions: [pending] };
    await stage.client.update(persistentVolumeClaims, { ...claim, status }, "status");
  }

  test.each(["before", "while"])(
    "%s a pod uses it has a larger file system, and a claim that says so",
    async (when) => {
      await driverObject();
      await boundVolume();
      if (when === "before") await grown();
      await stage.bind("web", using);
      await stage.ready("web");
      if (when === "while") await grown();
      const { status } = await until(claimNow, (claim) => claim.status?.capacity?.["storage"] === "2Gi");
      expect([status?.allocatedResourceStatuses ?? {}, status?.conditions ?? []]).toEqual([{}, []]);
      expect(driver.calls.filter((call) => call === "NodeExpandVolume")).toHaveLength(1);
      await until(
        () => stage.eventsOf("web"),
        (seen) =>
          seen.some(
            ({ reason, message }) =>
              reason === "FileSystemResizeSuccessful" &&
              message === 'MountVolume.NodeExpandVolume succeeded for volume "pv-1" n1',
          ),
      );
    },
  );

  test("has an error in its claim when the driver refuses", async () => {
    await driverObject();
    await boundVolume();
    await stage.bind("web", using);
    await stage.ready("web");
    driver.onCall((call) => {
      if (call === "NodeExpandVolume") throw new RpcError("OUT_OF_RANGE", "too large");
    });
    await grown();
    const { status } = await until(claimNow, (claim) => (claim.status?.conditions ?? []).length === 2);
    expect(status?.allocatedResourceStatuses).toEqual({ storage: "NodeResizeInfeasible" });
    const error = "rpc error: code = OutOfRange desc = too large";
    expect(status?.conditions?.[1]).toMatchObject({
      type: "NodeResizeError",
      message: `failed to expand pvc with ${error}`,
    });
    await until(
      () => stage.eventsOf("web"),
      (seen) =>
        seen.some(
          ({ reason, message }) =>
            reason === "VolumeResizeFailed" &&
            message === `NodeExpandVolume.NodeExpandVolume failed for volume "pv-1" : ${error}`,
        ),
    );
  });
});

describe("an inline volume", () => {
  const inline: Partial<PodSpec> = { ...using, volumes: [{ name: "v", csi: { driver: "local.csi.orrery.dev" } }] };
  test("is refused for a driver that has none", async () => {
    await driverObject();
    await stage.bind("web", inline);
    await until(
      () => failures("web"),
      (seen) =>
        seen.includes(
          'MountVolume.NewMounter initialization failed for volume "v" : ' +
            `volume mode "Ephemeral" not supported by driver ${driver.name} (only supports ["Persistent"])`,
        ),
    );
    await remove("web");
    await nothingIsLeft();
  });
});
