// What requests of drivers must say, and which sizes and pages they get.
import type { Backing } from "../../../csi/driver/volume-store.ts";
import { expect, test } from "vitest";
import { localDriver, sharedDriver } from "../../../csi/driver/profile.ts";
import { chosenSize, page, requireFields, sizeRange, unsupported } from "../../../csi/driver/requests.ts";
import { serial } from "../../../machinery/serial.ts";
import type { AccessMode, VolumeCapability } from "../../../csi/protocol/volumes.ts";

const mounted = (mode: AccessMode, fsType = ""): VolumeCapability => ({
  block: null,
  mount: { fsType, mountFlags: [], volumeMountGroup: "" },
  accessMode: { mode },
});

const block = { ...mounted("SINGLE_NODE_WRITER"), mount: null, block: {} };
test.each([
  ["one node", localDriver, mounted("SINGLE_NODE_WRITER"), undefined],
  ["ext4", localDriver, mounted("SINGLE_NODE_SINGLE_WRITER", "ext4"), undefined],
  ["many nodes", sharedDriver, mounted("MULTI_NODE_MULTI_WRITER"), undefined],
  ["many nodes of a local volume", localDriver, mounted("MULTI_NODE_MULTI_WRITER"), /access mode MULTI_NODE/],
  ["another file system", localDriver, mounted("SINGLE_NODE_WRITER", "xfs"), /xfs is not supported/],
  ["no mode", localDriver, mounted("UNKNOWN"), /access mode UNKNOWN/],
  ["a block device", localDriver, block, undefined],
  ["a block device without loop devices", localDriver, block, /need loop devices/, "folder"],
  ["a block device behind all nodes", sharedDriver, block, /block volumes are not supported/],
  ["no access type", localDriver, { ...mounted("SINGLE_NODE_WRITER"), mount: null }, /no access type/],
] as const)(
  "a capability for %s",
  (_, profile, capability, reason, backing: Backing = profile.backing.withLoopDevices) => {
    const found = unsupported(capability, { profile, backing });
    if (reason === undefined) expect(found).toBeUndefined();
    else expect(found).toMatch(reason);
  },
);

const gib = 1024 ** 3;
test.each([
  ["no range", null, 0, gib],
  ["a minimum", { requiredBytes: 5, limitBytes: 0 }, 0, 5],
  ["a limit below the default", { requiredBytes: 0, limitBytes: 7 }, 0, 7],
  ["a limit above the default", { requiredBytes: 0, limitBytes: 2 * gib }, 0, gib],
  ["a source larger than the minimum", { requiredBytes: 5, limitBytes: 0 }, 9, 9],
])("the size of a volume for %s", (_, range, source, size) => {
  expect(chosenSize(sizeRange(range), source)).toBe(size);
});

test.each([
  ["a minimum above the limit", () => sizeRange({ requiredBytes: 9, limitBytes: 5 }), "INVALID_ARGUMENT"],
  ["a negative size", () => sizeRange({ requiredBytes: -1, limitBytes: 0 }), "INVALID_ARGUMENT"],
  ["a source above the limit", () => chosenSize({ requiredBytes: 1, limitBytes: 5 }, 9), "OUT_OF_RANGE"],
  ["an empty name", () => requireFields({ name: "" }), "INVALID_ARGUMENT"],
  ["an empty list", () => requireFields({ capabilities: [] }), "INVALID_ARGUMENT"],
  ["a token of another list", () => page([1], { maxEntries: 1, startingToken: "7" }), "ABORTED"],
  ["a word for a token", () => page([1], { maxEntries: 1, startingToken: "next" }), "ABORTED"],
  ["a negative page size", () => page([1], { maxEntries: -1, startingToken: "" }), "INVALID_ARGUMENT"],
])("%s is refused", (_, act, code) => {
  expect(act).toThrow(expect.objectContaining({ code }));
});

test("pages follow each other to the end", () => {
  const all = [1, 2, 3, 4, 5];
  const read: number[][] = [];
  let startingToken = "";
  do {
    const { entries, nextToken } = page(all, { maxEntries: 2, startingToken });
    read.push([...entries]);
    startingToken = nextToken;
  } while (startingToken !== "");
  expect(read).toEqual([[1, 2], [3, 4], [5]]);
  expect(page(all, { maxEntries: 0, startingToken: "" })).toEqual({ entries: all, nextToken: "" });
});

test("actions on one volume follow each other, also after one that failed; those on others do not wait", async () => {
  const one = serial();
  const order: string[] = [];
  let release = (): void => {};
  const first = one("a", () => new Promise<void>((resolve) => (release = resolve)).then(() => order.push("first")));
  const failing = one("a", async () => {
    order.push("second");
    throw new Error("failed");
  });
  const last = one("a", async () => order.push("third"));
  await one("b", async () => order.push("other"));
  release();
  await first;
  await expect(failing).rejects.toThrow("failed");
  await last;
  expect(order).toEqual(["other", "first", "second", "third"]);
});
