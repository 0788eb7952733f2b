// The resizer: to which class of attributes a volume is changed, what it writes, and what follows from errors.
import { expect, test } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from "../../../api/generated/types.ts";
import { decideModification } from "../../../controllers/csi/modify.ts";
import type { ControllerCapability } from "../../../csi/protocol/controller.ts";
import type { RpcCode } from "../../../csi/protocol/grpc.ts";
import { csi, driverThat, outcome } from "./csi-driver.ts";
import { claim, claimRef, volume } from "./volumes.ts";
import { ago, asStored, carryOut, now } from "./world.ts";

const attributes = (name: string) =>
  asStored<VolumeAttributesClass>({
    kind: "VolumeAttributesClass",
    metadata: { name },
    ...{ driverName: csi.csi.driver, parameters: { speed: name } },
  });
const classes = new Map(["fast", "slow"].map((name) => [name, attributes(name)]));
const pv = volume({ spec: { ...csi, claimRef: claimRef(claim()) } });
const of = (name: string | undefined, status: object = {}): PersistentVolumeClaim =>
  claim({
    spec: { volumeName: "pv", ...(name !== undefined && { volumeAttributesClassName: name }) },
    status: { phase: "Bound", ...status },
  });
const state = (status: string, target: string, error?: { readonly code: string; readonly seconds: number }) => ({
  modifyVolumeStatus: { status, targetVolumeAttributesClassName: target },
  conditions: [
    {
      ...{ type: "ModifyingVolume", status: "True", lastTransitionTime: ago(9) },
      message: `Modifying volume to "${target}" ${error ? "failed. Waiting for retry." : "is in progress."}`,
    },
    ...(error
      ? [{ type: "ModifyVolumeError", status: "True", reason: error.code, lastTransitionTime: ago(error.seconds) }]
      : []),
  ],
});
const capabilities: ReadonlySet<ControllerCapability> = new Set(["MODIFY_VOLUME"]);
const begins = (name: string) => `Normal VolumeModify: external resizer is modifying volume data with vac ${name}`;
const ends = "Normal VolumeModifySuccessful: external resizer modified volume data with vac fast successfully";
const done = ["update", "status", ends];
const no = (code: string, more = "") => `Warning VolumeModifyFailed: rpc error: code = ${code} desc = no${more}`;

type Row = readonly [string, PersistentVolumeClaim, object | RpcCode, readonly string[]];
const rows: readonly Row[] = [
  ["no class", of(undefined), {}, []],
  ["the class it has", of("fast", { currentVolumeAttributesClassName: "fast" }), {}, []],
  ["another class: first noted", of("fast"), {}, ["status", begins("fast")]],
  ["then changed", of("fast", state("InProgress", "fast")), {}, done],
  ["a class that is not there", of("none"), {}, ["status", 'Warning VolumeModifyFailed: VAC "none" does not exist.']],
  ["a class that is still not there", of("none", { modifyVolumeStatus: { status: "Pending" } }), {}, []],
  [
    "a class that is there now",
    of("fast", { modifyVolumeStatus: { status: "Pending" } }),
    {},
    ["status", begins("fast")],
  ],
  ["refused", of("fast", state("InProgress", "fast")), "INVALID_ARGUMENT", ["status", no("InvalidArgument")]],
  ["refused: not again soon", of("fast", state("Infeasible", "fast", { code: "InvalidArgument", seconds: 9 })), {}, []],
  [
    "refused: again after five minutes",
    of("fast", state("Infeasible", "fast", { code: "InvalidArgument", seconds: 300 })),
    {},
    ["status", begins("fast")],
  ],
  [
    "refused: another class",
    of("slow", state("Infeasible", "fast", { code: "InvalidArgument", seconds: 9 })),
    {},
    ["status", begins("slow")],
  ],
  ["failed", of("fast", state("InProgress", "fast")), "INTERNAL", ["status", no("Internal"), "retry"]],
  [
    "failed for good: another class",
    of("slow", state("InProgress", "fast", { code: "Internal", seconds: 9 })),
    {},
    ["status", begins("slow")],
  ],
  [
    "no response",
    of("fast", state("InProgress", "fast")),
    "DEADLINE_EXCEEDED",
    ["status", no("DeadlineExceeded", ". Still modifying to VAC fast"), "retry"],
  ],
  ["under way: ends before the next", of("slow", state("InProgress", "fast")), {}, done],
  ["under way: ends although it is not wanted", of(undefined, state("InProgress", "fast")), {}, done],
  [
    "not wanted any more",
    of(undefined, state("Infeasible", "fast", { code: "InvalidArgument", seconds: 9 })),
    {},
    ["status", "Normal VolumeModifyCanceled: Cancelled modify."],
  ],
];
const decide = (on: PersistentVolumeClaim, response: object | RpcCode, its: PersistentVolume = pv) => {
  const { options, calls } = driverThat(response, { capabilities });
  return {
    decision: decideModification({ claim: on, volume: its, classOf: (n) => classes.get(n) }, options, now),
    calls,
  };
};
for (const [what, on, response, does] of rows)
  test(`attributes: ${what}`, async () => expect(await outcome(decide(on, response).decision)).toEqual(does));

test("attributes: of another driver's volume, or by a driver that cannot change them", async () => {
  expect(decide(of("fast"), {}, volume({ spec: { claimRef: claimRef(claim()) } })).decision.actions).toEqual([]);
  const { options } = driverThat({}, { capabilities: new Set() });
  const observed = { claim: of("fast"), volume: pv, classOf: () => attributes("fast") };
  expect(decideModification(observed, options, now).actions).toEqual([]);
});

test("attributes: the request, and what claim and volume say afterwards", async () => {
  const on = of("fast", { currentVolumeAttributesClassName: "slow", ...state("InProgress", "fast") });
  const { decision, calls } = decide(on, {});
  const after = carryOut((await decision.effect!.run()).actions, [on, pv]);
  expect(calls).toEqual([
    { method: "ControllerModifyVolume", request: { volumeId: "id", mutableParameters: { speed: "fast" } } },
  ]);
  expect((after[0] as PersistentVolumeClaim).status).toEqual({
    phase: "Bound",
    currentVolumeAttributesClassName: "fast",
  });
  expect((after[1] as PersistentVolume).spec.volumeAttributesClassName).toBe("fast");
});

test("attributes: the conditions of a failure", async () => {
  const on = of("fast", state("InProgress", "fast"));
  const [after] = carryOut((await decide(on, "INTERNAL").decision.effect!.run()).actions, [on]);
  const { conditions = [], modifyVolumeStatus } = (after as PersistentVolumeClaim).status!;
  expect(modifyVolumeStatus).toEqual({ status: "InProgress", targetVolumeAttributesClassName: "fast" });
  expect(conditions.map(({ type, reason, message }) => [type, reason, message])).toEqual([
    ["ModifyingVolume", undefined, 'Modifying volume to "fast" failed. Waiting for retry.'],
    ["ModifyVolumeError", "Internal", "no"],
  ]);
});
