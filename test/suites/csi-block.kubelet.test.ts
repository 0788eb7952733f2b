// The life of a block volume on each kind of devices that the machine has: symbolic links to images, which need no
// privileges, and where root can have them, loop devices.
import { closeSync, openSync, readSync, statSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PodSpec } from "../../api/generated/types.ts";
import { linuxMounts } from "../../csi/driver/mounts.ts";
import { linkedMounts } from "./csi-driver.ts";
import { type CsiStage, openCsiStage, using } from "./csi-stage.ts";
import { image, runForever, until } from "./kubelet-stage.ts";

const hasDevices = process.getuid?.() === 0 && (await linuxMounts().hasLoopDevices());
const kinds = [
  ["symbolic links", linkedMounts] as const,
  ...(hasDevices ? [["loop devices", linuxMounts] as const] : []),
];
const withDevice: Partial<PodSpec> = {
  ...using,
  containers: [{ name: "c", image, command: runForever, volumeDevices: [{ name: "v", devicePath: "/dev/v" }] }],
};
const bytesOf = (device: string): string => {
  const file = openSync(device, "r");
  const bytes = Buffer.alloc(4);
  readSync(file, bytes);
  closeSync(file);
  return bytes.toString();
};

describe.each(kinds)("a block volume on %s", (_, mounts) => {
  let at: CsiStage;
  beforeEach(async () => {
    at = await openCsiStage({ mounts: mounts(), backing: "image" });
    await at.driverObject();
    await at.boundVolume(["ReadWriteOnce"], "Block");
  });
  afterEach(() => at.close());

  test("keeps its bytes from pod to pod, and leaves nothing behind", async () => {
    for (const name of ["a", "b"]) await at.stage.bind(name, { ...withDevice, securityContext: { fsGroup: 1 } });
    const [a, b] = [await at.stage.ready("a"), await at.stage.ready("b")];
    writeFileSync(at.device(a.metadata.uid), "kept", { flag: "r+" });
    expect(bytesOf(at.device(b.metadata.uid))).toBe("kept");
    for (const name of ["a", "b"]) await at.remove(name);
    await at.nothingIsLeft();
    await at.stage.bind("c", withDevice);
    const { metadata } = await at.stage.ready("c");
    expect(bytesOf(at.device(metadata.uid))).toBe("kept");
    await at.remove("c");
    await at.nothingIsLeft();
  });

  test("survives restarts of kubelet and driver under a running pod", async () => {
    await at.stage.bind("web", withDevice);
    const { metadata } = await at.stage.ready("web");
    await at.restart();
    expect(statSync(at.device(metadata.uid)).isDirectory()).toBe(false);
    await at.remove("web");
    await at.nothingIsLeft();
  });

  test("is not mounted as a file system", async () => {
    await at.stage.bind("web", using);
    const [message] = await until(
      () => at.failures("web"),
      (messages) => messages.length > 0,
    );
    expect(message).toContain("volume v has volumeMode Block, but is specified in volumeMounts");
  });
});

test("a driver that refuses a device is named in the event", async () => {
  const at = await openCsiStage({ mounts: linkedMounts(), backing: "image" });
  try {
    await at.driverObject();
    await at.boundVolume(["ReadOnlyMany"], "Block");
    await at.stage.bind("web", withDevice);
    const refusal = /^MapVolume\.SetUpDevice failed for volume "pv-1" : rpc error: code = InvalidArgument/;
    await until(
      () => at.failures("web"),
      (messages) => messages.some((message) => refusal.test(message)),
    );
  } finally {
    await at.close();
  }
});
