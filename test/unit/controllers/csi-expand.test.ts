// The resizer: to which size it expands, what it writes, and what follows from errors.
import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../api/generated/types.ts";
import { decideExpansion } from "../../../controllers/csi/expand.ts";
import { csi, driver, driverThat, outcome } from "./csi-driver.ts";
import { claim, claimRef, volume } from "./volumes.ts";
import { ago, now } from "./world.ts";

const bound = (size: string, status: object = {}): PersistentVolumeClaim =>
  claim({
    spec: { volumeName: "pv", resources: { requests: { storage: size } } },
    status: { phase: "Bound", capacity: { storage: "1Gi" }, ...status },
  });
const pv = (size = "1Gi") => volume({ spec: { ...csi, capacity: { storage: size }, claimRef: claimRef(claim()) } });
const state = (text: string, size: string, more: object = {}) => ({
  allocatedResources: { storage: size },
  allocatedResourceStatuses: { storage: text },
  ...more,
});
const error = (seconds: number) => ({
  conditions: [{ type: "ControllerResizeError", status: "True", lastTransitionTime: ago(seconds) }],
});
const sizeOf = async (of: PersistentVolumeClaim, its: PersistentVolume): Promise<unknown> => {
  const { options, calls } = driverThat({ capacityBytes: 0, nodeExpansionRequired: false });
  const { actions, effect } = decideExpansion({ claim: of, volume: its }, options, now);
  await effect?.run();
  const marked = actions.find((a) => a.do === "status");
  const called = calls.map(({ request }) => (request as { capacityRange: { requiredBytes: number } }).capacityRange);
  return marked
    ? `to ${(marked as { status: PersistentVolumeClaim["status"] }).status?.allocatedResources?.["storage"]}`
    : called.map(({ requiredBytes }) => `${requiredBytes / 2 ** 30}Gi`).join();
};
const rows: readonly (readonly [string, PersistentVolumeClaim, PersistentVolume, string])[] = [
  ["as large as requested", bound("1Gi"), pv(), ""],
  ["larger: first noted", bound("2Gi"), pv(), "to 2Gi"],
  ["then expanded", bound("2Gi", state("ControllerResizeInProgress", "2Gi")), pv(), "2Gi"],
  ["under way: ends before the next", bound("3Gi", state("ControllerResizeInProgress", "2Gi")), pv(), "2Gi"],
  [
    "failed for good: a smaller one",
    bound("2Gi", state("ControllerResizeInProgress", "3Gi", error(1))),
    pv(),
    "to 2Gi",
  ],
  ["infeasible: a smaller one", bound("2Gi", state("ControllerResizeInfeasible", "9Gi", error(1))), pv(), "to 2Gi"],
  ["infeasible: not again", bound("9Gi", state("ControllerResizeInfeasible", "9Gi", error(1))), pv(), ""],
  [
    "infeasible: again after five minutes",
    bound("9Gi", state("ControllerResizeInfeasible", "9Gi", error(300))),
    pv(),
    "9Gi",
  ],
  ["the node is next", bound("2Gi", state("NodeResizePending", "2Gi")), pv("2Gi"), ""],
  ["the node is next, and more is requested", bound("3Gi", state("NodeResizePending", "2Gi")), pv("2Gi"), ""],
  ["killed before the claim was written", bound("2Gi", state("ControllerResizeInProgress", "2Gi")), pv("2Gi"), "2Gi"],
  ["infeasible on the node: noted again", bound("2Gi", state("NodeResizeInfeasible", "2Gi")), pv("2Gi"), "to 2Gi"],
  ["of another driver", bound("2Gi"), volume({ spec: { claimRef: claimRef(claim()) } }), ""],
  ["of another claim", bound("2Gi"), volume({ spec: { ...csi, claimRef: claimRef(claim({ name: "b" })) } }), ""],
];
for (const [what, of, its, size] of rows)
  test(`resizer: ${what}`, async () => expect(await sizeOf(of, its)).toBe(size));

const underWay = bound("2Gi", state("ControllerResizeInProgress", "2Gi"));
const resizing = "Normal Resizing: External resizer is resizing volume pv";
const failed = (code: string) =>
  `Warning VolumeResizeFailed: resize volume "pv" by resizer "${driver}" failed: rpc error: code = ${code} desc = no`;
for (const [response, does] of [
  [
    { capacityBytes: 2 ** 31, nodeExpansionRequired: false },
    ["update", "status", "Normal VolumeResizeSuccessful: Resize volume succeeded"],
  ],
  [
    { capacityBytes: 2 ** 31, nodeExpansionRequired: true },
    ["update", "status", "Normal FileSystemResizeRequired: Require file system resize of volume on node"],
  ],
  ["OUT_OF_RANGE", ["status", failed("OutOfRange")]],
  ["INTERNAL", ["status", failed("Internal"), "retry"]],
  ["UNAVAILABLE", [failed("Unavailable"), "retry"]],
] as const)
  test(`resizer: expanded: ${JSON.stringify(response)}`, async () => {
    const decision = decideExpansion({ claim: underWay, volume: pv() }, driverThat(response).options, now);
    expect(await outcome(decision)).toEqual([resizing, ...does]);
  });
