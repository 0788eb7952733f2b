// The life of a volume on each kind of mounts that the machine has: symbolic links, which need no privileges, and where
// root can mount images, those of the kernel, with volumes that have their size.
import { readFileSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PersistentVolumeClaim } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { key } from "../../api/meta.ts";
import { linuxMounts } from "../../csi/driver/mounts.ts";
import { type Backend, linkedMounts } from "./csi-driver.ts";
import { type CsiStage, openCsiStage, using } from "./csi-stage.ts";
import { until } from "./kubelet-stage.ts";

const hasImages = process.getuid?.() === 0 && (await linuxMounts().hasLoopDevices());
const backends: readonly (readonly [kind: string, open: () => Backend])[] = [
  ["symbolic links", () => ({ mounts: linkedMounts(), backing: "folder" })],
  ...(hasImages ? [["images", (): Backend => ({ mounts: linuxMounts(), backing: "image" })] as const] : []),
];

describe.each(backends)("a volume on %s", (kind, backend) => {
  let at: CsiStage;
  beforeEach(async () => {
    at = await openCsiStage(backend());
    await at.driverObject();
    await at.boundVolume();
  });
  afterEach(() => at.close());

  test("keeps its files from pod to pod, and leaves nothing behind", async () => {
    for (const name of ["a", "b"])
      await at.stage.bind(name, { ...using, securityContext: { fsGroup: process.getgid!() } });
    const [a, b] = [await at.stage.ready("a"), await at.stage.ready("b")];
    writeFileSync(join(at.target(a.metadata.uid), "file"), "kept");
    expect(readFileSync(join(at.target(b.metadata.uid), "file"), "utf8")).toBe("kept");
    for (const name of ["a", "b"]) await at.remove(name);
    await at.nothingIsLeft();
    await at.stage.bind("c", using);
    const { metadata } = await at.stage.ready("c");
    expect(readFileSync(join(at.target(metadata.uid), "file"), "utf8")).toBe("kept");
    await at.remove("c");
    await at.nothingIsLeft();
  });

  test("survives restarts of kubelet and driver under a running pod", async () => {
    await at.stage.bind("web", using);
    const { metadata } = await at.stage.ready("web");
    writeFileSync(join(at.target(metadata.uid), "file"), "kept");
    await at.restart();
    expect(readFileSync(join(at.target(metadata.uid), "file"), "utf8")).toBe("kept");
    await at.remove("web");
    await at.nothingIsLeft();
  });

  test("grows, under a running pod where the kernel allows it", async () => {
    const { client } = at.stage;
    const bytesIn = async (pod: string): Promise<number> => {
      await at.stage.bind(pod, using);
      const { blocks, bsize } = statfsSync(at.target((await at.stage.ready(pod)).metadata.uid));
      return blocks * bsize;
    };
    const before = await bytesIn("a");
    const pv = await client.get(persistentVolumes, key(undefined, "pv-1"));
    const [volumeId, capacityRange] = [pv.spec.csi!.volumeHandle, { requiredBytes: 2 * 2 ** 30 }];
    await at.driver.controller.ControllerExpandVolume({ volumeId, capacityRange });
    await client.update(persistentVolumes, { ...pv, spec: { ...pv.spec, capacity: { storage: "2Gi" } } });
    const claimNow = () => client.get(persistentVolumeClaims, key("default", "data"));
    const claim = await claimNow();
    const status = { ...claim.status, allocatedResourceStatuses: { storage: "NodeResizePending" } };
    await client.update(persistentVolumeClaims, { ...claim, status }, "status");
    const isGrown = (now: PersistentVolumeClaim): boolean => now.status?.capacity?.["storage"] === "2Gi";
    const error = (now: PersistentVolumeClaim): string => now.status?.conditions?.[0]?.message ?? "";
    await until(claimNow, (now) => isGrown(now) || error(now).includes("code = FailedPrecondition"));
    await at.remove("a");
    const after = await bytesIn("b");
    await until(claimNow, isGrown);
    // A link shows the file system of the machine.
    if (kind === "images") expect(after / before).toBeGreaterThan(1.9);
    await at.remove("b");
    await at.nothingIsLeft();
  });
});
