// What a kubelet that was killed between two writes of its records has left: every state of the folders of a volume, with
// its pod still there and gone. Nothing is lost, and nothing leaks.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mountIn, type Published, publishedFolder, stagedFolder, targetOf } from "../../kubelet/volumes/csi/records.ts";
import { linkedMounts } from "./csi-driver.ts";
import { type CsiStage, openCsiStage, using } from "./csi-stage.ts";

let at: CsiStage;
beforeEach(async () => {
  at = await openCsiStage({ mounts: linkedMounts(), backing: "folder" });
});
afterEach(() => at.close());

/** The steps that a kubelet makes around the calls for a folder, each after those before it. */
const steps: readonly (readonly [what: string, make: (folder: string, target: string, record: object) => void])[] = [
  ["a folder", (folder) => mkdirSync(folder, { recursive: true })],
  ["part of a record", (folder) => writeFileSync(join(folder, "vol_data.json.new"), '{"driver')],
  ["a record", (folder, _, record) => writeFileSync(join(folder, "vol_data.json"), JSON.stringify(record))],
  ["a place to mount at", (_, target) => mkdirSync(target)],
];
const places = ["staged", "published"] as const;
const cases = places.flatMap((where) =>
  steps.flatMap(([what], last) => [true, false].map((isThere) => [what, where, isThere, last] as const)),
);

test.each(cases)("%s of a %s volume is left, its pod is there: %s", async (_, where, isThere, last) => {
  await at.driverObject();
  const volumeHandle = await at.boundVolume();
  await at.stage.stop();
  if (isThere) await at.stage.bind("web", using);
  const uid = (await at.stage.find("web"))?.metadata.uid ?? "gone";
  const id = { driverName: at.driver.name, volumeHandle };
  const { stateDir } = at.stage;
  const published: Published = {
    ...{ ...id, specVolID: "pv-1", nodeName: "n1", attachmentID: "", volumeLifecycleMode: "Persistent" },
  };
  const [staging, publishing] = [stagedFolder(stateDir, id), publishedFolder(stateDir, uid, "pv-1")];
  const upTo = (folder: string, target: string, record: object, most: number): void => {
    for (const [, make] of steps.slice(0, most + 1)) make(folder, target, record);
  };
  if (where === "staged") upTo(staging, mountIn(staging), { ...id, specVolID: "pv-1" }, last);
  else upTo(publishing, targetOf(stateDir, uid, published), published, last);
  at.stage.start();
  if (isThere) {
    await at.stage.ready("web");
    await at.remove("web");
  }
  expect(await at.nothingIsLeft()).toEqual([]);
});
