// What a kubelet that was killed between two writes of its records has left, in every state of the folders of a volume,
// with its pod still there and gone; and a driver that is killed at every change of its mounts. Nothing is lost, and
// nothing leaks.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { mountIn, type Published, publishedFolder, stagedFolder, targetOf } from "../../kubelet/volumes/csi/records.ts";
import type { Mounts } from "../../csi/driver/mounts.ts";
import { linkedMounts } from "./csi-driver.ts";
import { type CsiStage, openCsiStage, using } from "./csi-stage.ts";

let at: CsiStage;
/** Called before and after every change of the driver's mounts. */
let onMount: (when: "before" | "after") => Promise<void> | void;
const changes: readonly (keyof Mounts)[] = ["bind", "unmount"];
function observedMounts(): Mounts {
  const mounts = linkedMounts();
  const observed = async (change: (...args: unknown[]) => Promise<unknown>, args: readonly unknown[]) => {
    await onMount("before");
    const result = await change(...args);
    await onMount("after");
    return result;
  };
  return new Proxy(mounts, {
    get(_, name: keyof Mounts) {
      const change = mounts[name] as (...args: unknown[]) => Promise<unknown>;
      return changes.includes(name) ? (...args: readonly unknown[]) => observed(change, args) : change;
    },
  });
}
beforeEach(async () => {
  onMount = () => {};
  at = await openCsiStage({ mounts: observedMounts(), backing: "folder" });
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

/** Kills the driver at this change of its mounts, and starts it again. Returns whether there was such a change. */
function killAt(step: number, moment: "before" | "after"): () => boolean {
  let [count, isKilled] = [0, false];
  onMount = (when) => {
    if (when === moment) count++;
    if (isKilled || when !== moment || count !== step) return undefined;
    isKilled = true;
    at.driver.stop();
    at.driver.start().catch(() => {});
    // The process that is killed does nothing more.
    return new Promise<void>(() => {});
  };
  return () => isKilled;
}

test.each(["before", "after"] as const)("a driver that is killed %s each change of its mounts", async (moment) => {
  await at.driverObject();
  await at.boundVolume();
  for (let step = 1, text = ""; ; step++) {
    const isKilled = killAt(step, moment);
    const name = `web-${step}`;
    await at.stage.bind(name, using);
    const file = join(at.target((await at.stage.ready(name)).metadata.uid), "file");
    if (step > 1) expect(readFileSync(file, "utf8")).toBe(text);
    text = name;
    writeFileSync(file, text);
    await at.remove(name);
    await at.nothingIsLeft();
    if (!isKilled()) {
      expect(step).toBeGreaterThan(4);
      return;
    }
  }
});
