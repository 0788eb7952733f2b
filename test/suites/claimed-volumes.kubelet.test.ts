// Pods whose volumes are claims, on a kubelet with a simulated engine.
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, PodSpec } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { pods } from "../../api/core/pods.ts";
import { type Draft, key } from "../../api/meta.ts";
import { linuxMounts } from "../../csi/driver/mounts.ts";
import { mountTable } from "../../machinery/mount-table.ts";
import { runProgram } from "../../machinery/run-program.ts";
import { image, openStage, runForever, type Stage, until } from "./kubelet-stage.ts";

let stage: Stage;
let folder: string;
beforeEach(async () => {
  stage = await openStage();
  stage.start();
  folder = mkdtempSync(join(tmpdir(), "orrery-volumes-"));
});
afterEach(async () => {
  await stage.close();
  rmSync(folder, { recursive: true });
});

const size = { storage: "1Gi" };
const accessModes = ["ReadWriteOnce" as const];
const claim = (): Promise<PersistentVolumeClaim> =>
  stage.client.create(persistentVolumeClaims, {
    kind: "PersistentVolumeClaim",
    metadata: { name: "data", namespace: "default" },
    spec: { accessModes, volumeName: "pv-1", storageClassName: "", resources: { requests: size } },
  });
/** Creates the volume, bound to the claim. */
async function bindTo({ metadata }: PersistentVolumeClaim, source: Partial<PersistentVolume["spec"]>): Promise<void> {
  const { name, namespace, uid } = metadata;
  const draft: Draft<PersistentVolume> = {
    kind: "PersistentVolume",
    metadata: { name: "pv-1" },
    spec: { accessModes, capacity: size, claimRef: { kind: "PersistentVolumeClaim", name, namespace, uid }, ...source },
  };
  await stage.client.create(persistentVolumes, draft);
}
async function complete(of: PersistentVolumeClaim): Promise<void> {
  const status = { phase: "Bound" as const, accessModes, capacity: size };
  await stage.client.update(persistentVolumeClaims, { ...of, status }, "status");
}
const onNode = (path: string): Partial<PersistentVolume["spec"]> => ({
  local: { path },
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["n1"] }] }],
    },
  },
});
const using: Partial<PodSpec> = {
  volumes: [{ name: "v", persistentVolumeClaim: { claimName: "data" } }],
  containers: [{ name: "c", image, command: runForever, volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a" }] }],
};
const failures = async (): Promise<readonly string[]> =>
  (await stage.eventsOf("web")).filter((e) => e.reason === "FailedMount").map((e) => e.message);

describe("a pod with a claim", () => {
  test.each([
    ["hostPath", (path: string) => ({ hostPath: { path } })],
    ["local", onNode],
  ])("on a volume of type %s runs once the claim is bound", async (_, source) => {
    await stage.bind("web", using);
    const prefix = "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], ";
    await until(failures, (seen) =>
      seen.some((m) => m.startsWith(`${prefix}failed to process volumes=[v]: error proc`)),
    );
    const pending = await claim();
    await bindTo(pending, source(folder));
    await complete(pending);
    await stage.ready("web");
    expect(statSync(join(folder, "a")).isDirectory()).toBe(true);
  });

  test("that no container uses does not wait for it", async () => {
    await stage.bind("web", { ...using, containers: [{ name: "c", image, command: runForever }] });
    await stage.ready("web");
    expect(await failures()).toEqual([]);
  });

  test("on a local volume whose path is missing waits", async () => {
    const pending = await claim();
    await bindTo(pending, onNode(join(folder, "none")));
    await complete(pending);
    await stage.bind("web", using);
    await until(failures, (seen) =>
      seen.includes(
        `MountVolume.NewMounter initialization failed for volume "pv-1" : path "${join(folder, "none")}" does not exist`,
      ),
    );
  });

  test("on a volume of another claim waits", async () => {
    const pending = await claim();
    await bindTo({ ...pending, metadata: { ...pending.metadata, uid: "u-2" } }, { hostPath: { path: folder } });
    await complete(pending);
    await stage.bind("web", using);
    await until(failures, (seen) =>
      seen.some((m) =>
        m.endsWith(
          "error processing PVC default/data: found PV object pv-1 but its pv.Spec.ClaimRef.UID u-2 does not point to " +
            `claim.UID ${pending.metadata.uid}`,
        ),
      ),
    );
  });
});

const isRoot = process.getuid?.() === 0;
const hasDevices = isRoot && (await linuxMounts().hasLoopDevices());
describe.runIf(hasDevices)("a local volume on a device", () => {
  let device: string;
  beforeEach(async () => {
    const file = join(folder, "image");
    writeFileSync(file, "");
    truncateSync(file, 16 * 2 ** 20);
    device = (await runProgram("losetup", ["--find", "--show", file])).trim();
  });
  afterEach(() => runProgram("losetup", ["--detach", device]));
  const mountedFrom = async (): Promise<readonly string[]> =>
    (await mountTable())
      .filter(({ source, target }) => source === device && !target.includes("/volume-subpaths/"))
      .map(({ target }) => target);

  test("has a file system, which is mounted while pods use it and keeps its files", async () => {
    const pending = await claim();
    await bindTo(pending, onNode(device));
    await complete(pending);
    for (const name of ["web", "other"]) await stage.bind(name, using);
    for (const name of ["web", "other"]) await stage.ready(name);
    const [first, ...others] = await mountedFrom();
    expect(first).toBe(join(stage.stateDir, "plugins/kubernetes.io/local-volume/mounts/pv-1"));
    expect(others.map((target) => statSync(join(target, "a")).isDirectory())).toEqual([true, true]);
    for (const name of ["web", "other"])
      await stage.client.delete(pods, key("default", name), { gracePeriodSeconds: 1 });
    await until(mountedFrom, (targets) => targets.length === 0);
  });

  test("is a device of containers in mode Block", async () => {
    const pending = await claim();
    await bindTo(pending, { ...onNode(device), volumeMode: "Block" });
    await complete(pending);
    const devices = [{ name: "v", devicePath: "/dev/v" }];
    await stage.bind("web", {
      ...using,
      containers: [{ name: "c", image, command: runForever, volumeDevices: devices }],
    });
    await stage.ready("web");
    expect(await mountedFrom()).toEqual([]);
  });
});

const group = isRoot ? 4_711 : process.getgid!();
const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

describe("fsGroup", () => {
  const prepare = async (policy: "Always" | "OnRootMismatch"): Promise<void> => {
    mkdirSync(join(folder, "in"), { mode: 0o700 });
    writeFileSync(join(folder, "in", "file"), "x", { mode: 0o600 });
    const pending = await claim();
    await bindTo(pending, onNode(folder));
    await complete(pending);
    await stage.bind("web", { ...using, securityContext: { fsGroup: group, fsGroupChangePolicy: policy } });
    await stage.ready("web");
  };
  test("gives the volume to the group", async () => {
    await prepare("Always");
    expect([folder, join(folder, "in"), join(folder, "in", "file")].map((p) => [statSync(p).gid, modeOf(p)])).toEqual([
      [group, "2770"],
      [group, "2770"],
      [group, "660"],
    ]);
  });
  test("with OnRootMismatch leaves a volume that was given before", async () => {
    chownSync(folder, process.getuid!(), group);
    chmodSync(folder, 0o2770);
    await prepare("OnRootMismatch");
    expect(modeOf(join(folder, "in", "file"))).toBe("600");
  });
});
