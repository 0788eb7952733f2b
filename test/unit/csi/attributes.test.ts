// The attributes of volumes: which parameters name them, and that those that are not named stay.
import { expect, test } from "vitest";
import { attributesIn } from "../../../csi/driver/attributes.ts";
import type { Backing } from "../../../csi/driver/volume-store.ts";

const rows: readonly (readonly [string, Readonly<Record<string, string>>, Backing, object | RegExp])[] = [
  ["none", {}, "image", {}],
  ["none of a folder", {}, "folder", {}],
  ["read-ahead", { readAheadKiB: "256" }, "image", { readAheadKiB: 256 }],
  ["read-ahead of a folder", { readAheadKiB: "256" }, "folder", /has no device/],
  ["too much", { readAheadKiB: "65537" }, "image", /from 0 to 65536/],
  ["no number", { readAheadKiB: "-1" }, "image", /from 0 to 65536/],
  ["another", { iops: "5" }, "image", /no attribute iops/],
];
for (const [what, parameters, backing, expected] of rows)
  test(`attributes: ${what}`, () => {
    if (expected instanceof RegExp) expect(() => attributesIn(parameters, backing)).toThrow(expected);
    else expect(attributesIn(parameters, backing)).toEqual(expected);
  });
