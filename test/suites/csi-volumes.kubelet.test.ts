// Volumes of a CSI driver on a kubelet with a simulated engine: staged, published and removed, in order and once, also
// when the kubelet or the driver ends in between.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PodSpec } from "../../api/generated/types.ts";
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { csiNodes, volumeAttachments } from "../../api/storage/csi.ts";
import { RpcError } from "../../csi/protocol/grpc.ts";
import { attachmentName } from "../../csi/protocol/volume-names.ts";
import { summaryOf, volumeMetrics } from "../../kubelet/volumes/volume-stats.ts";
import { linkedMounts, type NodeCall } from "./csi-driver.ts";
import { type CsiStage, openCsiStage, using } from "./csi-stage.ts";
import { sh, until, world } from "./kubelet-stage.ts";

let at: CsiStage;
beforeEach(async () => {
  at = await openCsiStage({ mounts: linkedMounts(), backing: "folder" });
});
afterEach(() => at.close());

test("a driver that registers is in the CSINode and in the labels of the node, until its socket is gone", async () => {
  const drivers = async () =>
    (await at.stage.client.get(csiNodes, key(undefined, "n1")).catch(() => undefined))?.spec.drivers;
  const topology = "topology.local.csi.orrery.dev/node";
  await until(drivers, (d) => d?.length === 1);
  expect(await drivers()).toEqual([{ name: at.driver.name, nodeID: "n1", topologyKeys: [topology] }]);
  const { labels, annotations } = (await at.stage.client.get(nodes, key(undefined, "n1"))).metadata;
  expect(labels?.[topology]).toBe("n1");
  expect(annotations?.["csi.volume.kubernetes.io/nodeid"]).toBe(JSON.stringify({ [at.driver.name]: "n1" }));
  at.driver.stop();
  await until(drivers, (d) => d?.length === 0);
  await at.driver.start();
  await until(drivers, (d) => d?.length === 1);
});

describe("a volume of a driver", () => {
  test("is staged and published once, keeps its files for the next pod, and leaves nothing behind", async () => {
    await at.driverObject();
    await at.boundVolume();
    await at.stage.bind("web", using);
    const { metadata } = await at.stage.ready("web");
    writeFileSync(join(at.target(metadata.uid), "file"), "kept");
    expect(at.driver.calls).toEqual(["NodeStageVolume", "NodePublishVolume"]);
    await at.remove("web");
    expect(at.driver.calls.slice(2)).toEqual(["NodeUnpublishVolume", "NodeUnstageVolume"]);
    await at.nothingIsLeft();
    await at.stage.bind("next", using);
    const next = await at.stage.ready("next");
    expect(readFileSync(join(at.target(next.metadata.uid), "file"), "utf8")).toBe("kept");
  });

  test("is unstaged after its last pod", async () => {
    await at.driverObject();
    await at.boundVolume();
    for (const name of ["a", "b"]) await at.stage.bind(name, using);
    for (const name of ["a", "b"]) await at.stage.ready(name);
    await at.remove("a");
    expect(at.driver.calls).not.toContain("NodeUnstageVolume");
    await at.remove("b");
    expect(at.driver.calls.filter((c) => c === "NodeUnstageVolume")).toHaveLength(1);
    await at.nothingIsLeft();
  });

  test("is unmounted when its pod completes", async () => {
    await at.driverObject();
    await at.boundVolume();
    const containers = [{ ...using.containers![0]!, command: sh("exit 0") }];
    await at.stage.bind("job", { ...using, restartPolicy: "Never", containers });
    await until(
      () => at.stage.find("job"),
      (pod) => pod?.status?.phase === "Succeeded",
    );
    await until(
      async () => at.driver.calls,
      (calls) => calls.includes("NodeUnstageVolume"),
    );
    await at.remove("job");
    await at.nothingIsLeft();
  });

  test("is published again for a driver that wants it", async () => {
    await at.driverObject({ requiresRepublish: true });
    await at.boundVolume();
    await at.stage.bind("web", using);
    await at.stage.ready("web");
    const published = async () => at.driver.calls.filter((call) => call === "NodePublishVolume").length;
    const before = await published();
    await at.stage.client.patch(pods, key("default", "web"), {
      type: "merge",
      patch: { metadata: { labels: { a: "b" } } },
    });
    await until(published, (count) => count > before);
  });

  test("is given to the pod's group", async () => {
    await at.driverObject();
    await at.boundVolume();
    const fsGroup = process.getuid?.() === 0 ? 4_711 : process.getgid!();
    await at.stage.bind("web", { ...using, securityContext: { fsGroup } });
    const { metadata } = await at.stage.ready("web");
    const { gid, mode } = statSync(at.target(metadata.uid));
    expect([gid, mode & 0o2770]).toEqual([fsGroup, 0o2770]);
  });
});

test("the usage of a volume is in the stats and the metrics of the node, by its claim", async () => {
  await at.driverObject();
  await at.boundVolume();
  await at.stage.bind("web", using);
  const { metadata } = await at.stage.ready("web");
  const [stats, ...others] = await at.stage.volumes();
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
    await at.driverObject();
    await at.boundVolume();
    at.driver.stop();
    await at.stage.bind("web", using);
    await until(
      () => at.failures("web"),
      (seen) => seen.some((m) => m.startsWith('MountVolume.MountDevice failed for volume "pv-1" : ')),
    );
    await at.driver.start();
    await at.stage.ready("web");
  });

  test("until it is attached, where the driver demands it", async () => {
    await at.driverObject({ attachRequired: true });
    const handle = await at.boundVolume();
    await at.stage.bind("web", using);
    const name = attachmentName({ driver: at.driver.name, volumeHandle: handle }, "n1");
    const made = await at.stage.client.create(volumeAttachments, {
      kind: "VolumeAttachment",
      metadata: { name },
      spec: { attacher: at.driver.name, nodeName: "n1", source: { persistentVolumeName: "pv-1" } },
    });
    expect(at.driver.calls).toEqual([]);
    const inUse = async () => (await at.stage.client.get(nodes, key(undefined, "n1"))).status?.volumesInUse;
    const seen: unknown[] = [];
    at.driver.onCall(async (call, when) => {
      if (call === "NodeStageVolume" && when === "before") seen.push(await inUse());
    });
    const status = { attached: true, attachmentMetadata: { device: "a" } };
    await at.stage.client.update(volumeAttachments, { ...made, status }, "status");
    const unique = `kubernetes.io/csi/${at.driver.name}^${handle}`;
    await until(inUse, (volumes) => volumes?.includes(unique) === true);
    // A controller that is about to detach it takes it out of the node's status first.
    expect(at.driver.calls).toEqual([]);
    const volumesAttached = [{ name: unique, devicePath: "" }];
    const patch = { status: { volumesAttached } };
    await at.stage.client.patch(nodes, key(undefined, "n1"), { type: "merge", patch }, "status");
    await at.stage.ready("web");
    // In use before the driver has it, so that it is not detached meanwhile.
    expect(seen).toEqual([[unique]]);
    await at.remove("web");
    await until(inUse, (volumes) => (volumes ?? []).length === 0);
  });

  test("while another pod has it with ReadWriteOncePod", async () => {
    await at.driverObject();
    await at.boundVolume(["ReadWriteOncePod"]);
    await at.stage.bind("a", using);
    await at.stage.ready("a");
    await at.stage.bind("b", using);
    await until(
      () => at.failures("b"),
      (seen) =>
        seen.includes(
          'MountVolume.SetUp failed for volume "pv-1" : ' +
            "volume uses the ReadWriteOncePod access mode and is already in use by another pod",
        ),
    );
    await at.remove("a");
    await at.stage.ready("b");
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
    at.driver.onCall((made, at) => {
      if (made !== call || at !== when) return;
      reached.resolve();
      return never;
    });
    await reached.promise;
    at.driver.onCall(() => {});
    await at.stage.stop();
    at.driver.stop();
    await at.driver.start();
    at.stage.start();
  }

  test.each(cases)("%s (%s the driver has done it) leaves nothing behind and loses nothing", async (call, when) => {
    await at.driverObject();
    await at.boundVolume();
    if (call === "NodeStageVolume" || call === "NodePublishVolume") {
      const restarted = restartDuring(call, when);
      await at.stage.bind("web", using);
      await restarted;
      await at.stage.ready("web");
      await at.remove("web");
    } else {
      await at.stage.bind("web", using);
      await at.stage.ready("web");
      const restarted = restartDuring(call, when);
      await at.stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 1 });
      await restarted;
      await at.isGone("web");
    }
    await at.nothingIsLeft();
  });

  test.each(cases.slice(0, 4))("%s (%s), whose pod is deleted meanwhile, leaves nothing behind", async (call, when) => {
    await at.driverObject();
    await at.boundVolume();
    const reached = Promise.withResolvers<void>();
    at.driver.onCall((made, at) => {
      if (made !== call || at !== when) return;
      reached.resolve();
      return never;
    });
    await at.stage.bind("web", using);
    await reached.promise;
    at.driver.onCall(() => {});
    await at.stage.stop();
    const uid = (await at.stage.find("web"))!.metadata.uid;
    // Forced, as by a garbage collector of pods: the kubelet is not asked.
    await at.stage.client.delete(pods, key("default", "web"), { uid, gracePeriodSeconds: 0 });
    at.driver.stop();
    await at.driver.start();
    at.stage.start();
    await at.isGone("web");
    await at.nothingIsLeft();
  });
});

describe("while a driver mounts the volume of a pod", () => {
  const inEngine = () => at.stage.runtime.list(undefined, AbortSignal.timeout(1_000));

  test("its sandbox is run, and no container before the volume is there", async () => {
    await at.driverObject();
    await at.boundVolume();
    // A driver that is not registered yet would be a failure, after which the sandbox waits.
    await at.stage.bind("before", using);
    await at.stage.ready("before");
    await at.remove("before");
    await at.nothingIsLeft();
    const held = Promise.withResolvers<void>();
    at.driver.onCall((call, when) => (call === "NodePublishVolume" && when === "before" ? held.promise : undefined));
    await at.stage.bind("web", using);
    const { containers } = await until(inEngine, ({ sandboxes }) => sandboxes.length === 1);
    expect(containers).toEqual([]);
    held.resolve();
    await at.stage.ready("web");
  });

  test.each<readonly [what: string, volumes: NonNullable<PodSpec["volumes"]>]>([
    ["the driver refuses", using.volumes!],
    ["another volume is missing", [...using.volumes!, { name: "s", secret: { secretName: "none" } }]],
  ])("and %s, the pod has no sandbox and no address", async (_, volumes) => {
    await at.driverObject();
    await at.boundVolume();
    at.driver.onCall((call, when) => {
      if (call === "NodePublishVolume" && when === "before") throw new RpcError("INTERNAL", "busy");
    });
    const [container] = using.containers!;
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    await at.stage.bind("web", { volumes, containers: [{ ...container!, volumeMounts }] });
    await until(
      () => at.failures("web"),
      (seen) => seen.length > 0,
    );
    await until(inEngine, ({ sandboxes }) => sandboxes.length === 0);
    const { status } = (await at.stage.find("web"))!;
    expect([status?.phase, status?.podIP]).toEqual(["Pending", undefined]);
  });
});

/** Lets the driver refuse a call a number of times. Returns the times of all such calls. */
function refused(refusedCall: NodeCall, times: number): readonly number[] {
  const calledAt: number[] = [];
  at.driver.onCall((call, when) => {
    if (call !== refusedCall || when === "after") return;
    calledAt.push(world.clock.now());
    if (calledAt.length <= times) throw new RpcError("INTERNAL", "busy");
  });
  return calledAt;
}

describe.each(["NodeUnpublishVolume", "NodeUnstageVolume"] as const)("a driver that refuses %s", (call) => {
  test("is called again after 500 ms, then after twice as long", async () => {
    await at.driverObject();
    await at.boundVolume();
    await at.stage.bind("web", using);
    await at.stage.ready("web");
    const calledAt = refused(call, 2);
    await at.remove("web");
    await at.nothingIsLeft();
    const waits = calledAt.slice(1).map((time, i) => time - calledAt[i]!);
    expect(waits).toEqual([expect.any(Number), expect.any(Number)]);
    expect(waits[0]).toBeGreaterThanOrEqual(495);
    expect(waits[1]).toBeGreaterThanOrEqual(995);
  });

  test("is called again at once when it is started again", async () => {
    await at.driverObject();
    await at.boundVolume();
    await at.stage.bind("web", using);
    await at.stage.ready("web");
    const calledAt = refused(call, 4);
    await at.stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 1 });
    await until(
      async () => calledAt.length,
      (count) => count === 3,
    );
    for (const count of [4, 5]) {
      at.driver.stop();
      await at.driver.start();
      await until(
        async () => calledAt.length,
        (seen) => seen === count,
      );
    }
    await at.isGone("web");
    await at.nothingIsLeft();
    // Without that it would be called 2 s and 4 s later.
    expect(calledAt[4]! - calledAt[2]!).toBeLessThan(5_000);
  });
});

test("a pod that is deleted while its volume is mounted leaves nothing behind", async () => {
  await at.driverObject();
  await at.boundVolume();
  const [reached, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  at.driver.onCall((call, when) => {
    if (call !== "NodeStageVolume" || when === "after") return;
    reached.resolve();
    return released.promise;
  });
  await at.stage.bind("web", using);
  await reached.promise;
  await at.stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 0 });
  await at.isGone("web");
  await until(
    async () => (await at.stage.runtime.list(undefined, AbortSignal.timeout(1_000))).sandboxes,
    (sandboxes) => sandboxes.length === 0,
  );
  released.resolve();
  await until(
    async () => at.driver.calls,
    (calls) => calls.includes("NodeUnstageVolume"),
  );
  await at.nothingIsLeft();
});

describe("a volume that was grown", () => {
  const claimNow = () => at.stage.client.get(persistentVolumeClaims, key("default", "data"));
  /** The volume after its controller has grown it, and left the file system to the node. */
  async function grown(): Promise<void> {
    const pv = await at.stage.client.get(persistentVolumes, key(undefined, "pv-1"));
    const capacity = { storage: "2Gi" };
    await at.driver.controller.ControllerExpandVolume({
      volumeId: pv.spec.csi!.volumeHandle,
      capacityRange: { requiredBytes: 2 * 2 ** 30 },
    });
    await at.stage.client.update(persistentVolumes, { ...pv, spec: { ...pv.spec, capacity } });
    const claim = await claimNow();
    const pending = { type: "FileSystemResizePending", status: "True" as const };
    const allocatedResourceStatuses = { storage: "NodeResizePending" };
    const status = { ...claim.status, allocatedResourceStatuses, conditions: [pending] };
    await at.stage.client.update(persistentVolumeClaims, { ...claim, status }, "status");
  }

  test.each(["before", "while"])(
    "%s a pod uses it has a larger file system, and a claim that says so",
    async (when) => {
      await at.driverObject();
      await at.boundVolume();
      if (when === "before") await grown();
      await at.stage.bind("web", using);
      await at.stage.ready("web");
      if (when === "while") await grown();
      const { status } = await until(claimNow, (claim) => claim.status?.capacity?.["storage"] === "2Gi");
      expect([status?.allocatedResourceStatuses ?? {}, status?.conditions ?? []]).toEqual([{}, []]);
      expect(at.driver.calls.filter((call) => call === "NodeExpandVolume")).toHaveLength(1);
      await until(
        () => at.stage.eventsOf("web"),
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
    await at.driverObject();
    await at.boundVolume();
    await at.stage.bind("web", using);
    await at.stage.ready("web");
    at.driver.onCall((call) => {
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
      () => at.stage.eventsOf("web"),
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
    await at.driverObject();
    await at.stage.bind("web", inline);
    await until(
      () => at.failures("web"),
      (seen) =>
        seen.includes(
          'MountVolume.NewMounter initialization failed for volume "v" : ' +
            `volume mode "Ephemeral" not supported by driver ${at.driver.name} (only supports ["Persistent"])`,
        ),
    );
    await at.remove("web");
    await at.nothingIsLeft();
  });
});
