// Ranges: which overlap, and which one a new cluster takes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressIn, freeSubnet, overlap, routedRanges } from "../../../../cli/cluster/subnet.ts";

const overlaps = [
  ["the same range", "10.0.0.0/8", "10.0.0.0/8", true],
  ["one inside the other", "172.16.0.0/12", "172.30.5.0/24", true],
  ["side by side", "172.30.0.0/24", "172.30.1.0/24", false],
  ["a single address inside", "192.168.1.7", "192.168.1.0/24", true],
  ["an address written inside its range", "172.30.0.9/24", "172.30.0.200/32", true],
  ["what is no IPv4 range", "fd00::/64", "172.30.0.0/24", false],
] as const;

describe("overlap", () => {
  for (const [what, one, other, expected] of overlaps) {
    test(what, () => {
      expect(overlap(one, other)).toBe(expected);
      expect(overlap(other, one)).toBe(expected);
    });
  }
});

const choices = [
  ["an empty machine", [], "172.30.0.0/24"],
  ["the first is taken", ["172.30.0.0/24"], "172.30.1.0/24"],
  ["a large network covers the first half of them", ["172.16.0.0/12"], "10.89.0.0/24"],
  ["a route through a tunnel covers ten", ["10.0.0.0/8"], "172.30.0.0/24"],
  ["everything private is routed", ["172.16.0.0/12", "10.0.0.0/8"], undefined],
] as const;

describe("free subnet", () => {
  for (const [what, taken, expected] of choices) test(what, () => expect(freeSubnet(taken)).toBe(expected));

  test("never overlaps what is taken", () => {
    const range = fc.tuple(fc.constantFrom("172.30", "10.89", "172.31"), fc.nat(255), fc.integer({ min: 16, max: 28 }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 40 }), (ranges) => {
        const taken = ranges.map(([start, third, bits]) => `${start}.${third}.0/${bits}`);
        const chosen = freeSubnet(taken);
        expect(chosen === undefined || taken.every((other) => !overlap(chosen, other))).toBe(true);
      }),
    );
  });
});

test("an address in a subnet", () => expect(addressIn("172.30.7.0/24", 12)).toBe("172.30.7.12"));

test("routed ranges leave out the default route and keep blackholes", () => {
  const routes = [
    "default via 192.0.2.1 dev eth0",
    "blackhole 10.96.0.0/16 metric 4278198272",
    "172.17.0.0/16 dev docker0 proto kernel scope link src 172.17.0.1 linkdown",
    "192.0.2.7 dev eth0 scope link",
    "",
  ].join("\n");
  expect(routedRanges(routes)).toEqual(["10.96.0.0/16", "172.17.0.0/16", "192.0.2.7"]);
});
