// The attacher: when it calls the driver, and what it writes.
import { expect, test } from "vitest";
import type { CSINode } from "../../../api/generated/types.ts";
import { decideAttachment } from "../../../controllers/csi/attach.ts";
import type { RpcCode } from "../../../csi/protocol/grpc.ts";
import { attachment, csi, driver, driverThat, outcome } from "./csi-driver.ts";
import { volume } from "./volumes.ts";
import { ago, asStored, now } from "./world.ts";

const pv = volume({ spec: csi });
const drivers = [{ name: driver, nodeID: "node-1" }];
const n1 = asStored<CSINode>({ kind: "CSINode", metadata: { name: "n1" }, spec: { drivers } });
const gone = { deletionTimestamp: ago(1) };
type Observed = Parameters<typeof decideAttachment>[0];
const rows: readonly (readonly [string, Partial<Observed>, object | RpcCode, readonly string[], string?])[] = [
  ["protected before it is attached", { attachment: attachment({ finalizers: [] }) }, {}, ["patch"]],
  ["its node's id is noted before it is attached", { attachment: attachment({ annotations: {} }) }, {}, ["patch"]],
  ["attached", {}, { publishContext: { d: "1" } }, ["status"], "ControllerPublishVolume"],
  ["attached already", { attachment: attachment({}, { attached: true }) }, {}, []],
  ["an error", {}, "INTERNAL", ["status", "retry"], "ControllerPublishVolume"],
  ["a node without the driver", { node: undefined }, {}, ["status", "retry"]],
  ["a volume that is gone", { volume: undefined }, {}, ["status", "retry"]],
  ["detached", { attachment: attachment(gone, { attached: true }) }, {}, ["patch"], "ControllerUnpublishVolume"],
  [
    "detached from a node that is gone",
    { attachment: attachment(gone), node: undefined },
    {},
    ["patch"],
    "ControllerUnpublishVolume",
  ],
  ["not detached", { attachment: attachment(gone) }, "INTERNAL", ["status", "retry"], "ControllerUnpublishVolume"],
  ["let go", { attachment: attachment({ ...gone, finalizers: ["other"] }) }, {}, []],
];
for (const [what, of, response, does, method] of rows)
  test(`attacher: ${what}`, async () => {
    const { options, calls } = driverThat(response);
    expect(
      await outcome(decideAttachment({ attachment: attachment(), volume: pv, node: n1, ...of }, options, now)),
    ).toEqual(does);
    expect(calls.map((call) => call.method)).toEqual(method === undefined ? [] : [method]);
  });

test("a node that is gone is called by the id that was noted", async () => {
  const { options, calls } = driverThat({});
  const detaching = { attachment: attachment(gone, { attached: true }), volume: pv, node: undefined };
  await outcome(decideAttachment(detaching, options, now));
  expect(calls).toEqual([{ method: "ControllerUnpublishVolume", request: { volumeId: "id", nodeId: "node-1" } }]);
});

test("a volume that is gone is detached by the handle that was noted", async () => {
  const { options, calls } = driverThat({});
  const detaching = { attachment: attachment(gone, { attached: true }), volume: undefined, node: n1 };
  expect(await outcome(decideAttachment(detaching, options, now))).toEqual(["patch"]);
  expect(calls).toEqual([{ method: "ControllerUnpublishVolume", request: { volumeId: "id", nodeId: "node-1" } }]);
});
