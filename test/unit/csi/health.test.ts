// The health of volumes: what is wrong with their data is reported, and nothing else is.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { DriverContext } from "../../../csi/driver/context.ts";
import { controllerHealthHandlers, nodeHealthHandlers } from "../../../csi/driver/health.ts";
import { localDriver } from "../../../csi/driver/profile.ts";
import { type Backing, imageFile, openStore } from "../../../csi/driver/volume-store.ts";
import { serial } from "../../../machinery/serial.ts";
import { linkedMounts } from "../../suites/csi-driver.ts";
import { world } from "../../suites/kubelet-stage.ts";

let root: string;
let context: DriverContext;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "csi-health-"));
  context = {
    ...{ profile: localDriver, store: await openStore(root, "n1"), mounts: linkedMounts() },
    ...{ node: "n1", backing: "image", serial: serial(), clock: world.clock },
  };
});
afterEach(() => rmSync(root, { recursive: true }));

const size = 4096;
const rows: readonly (readonly [string, Backing, (data: string) => void, readonly string[]])[] = [
  ["a folder", "folder", () => {}, []],
  ["a folder that is gone", "folder", (data) => rmSync(data, { recursive: true }), ["DATA_LOSS DataMissing"]],
  ["an image", "image", () => {}, []],
  ["an image that is gone", "image", (data) => rmSync(join(data, imageFile)), ["DATA_LOSS DataMissing"]],
  [
    "an image that was cut off",
    "image",
    (data) => truncateSync(join(data, imageFile), 1),
    ["DATA_LOSS ImageTruncated"],
  ],
];
for (const [what, backing, damage, expected] of rows)
  test(`health of ${what}`, async () => {
    const { volumes } = context.store;
    await volumes.add({ id: "v", name: "v", capacityBytes: size, backing }, async (data) => {
      if (backing === "image") writeFileSync(join(data, imageFile), Buffer.alloc(size));
    });
    damage(volumes.dataOf("v"));
    const { ControllerGetVolumeHealth: get, ControllerListVolumeHealth: list } = controllerHealthHandlers(context);
    const { NodeGetVolumeHealth: onNode } = nodeHealthHandlers(context);
    const request = { volumeId: "v", secrets: {} };
    const found = [
      (await get!(request)).volumeHealth!,
      (await onNode!({ ...request, volumePublishPath: "", stagingTargetPath: "" })).volumeHealth!,
    ];
    for (const { healthStatuses = [] } of found)
      expect(healthStatuses.map(({ status, reason }) => `${status} ${reason}`)).toEqual(expected);
    const abnormal = (await list!({ secrets: {}, maxEntries: 0, startingToken: "" })).entries!;
    expect(abnormal.map(({ volumeId }) => volumeId)).toEqual(expected.length > 0 ? ["v"] : []);
  });
