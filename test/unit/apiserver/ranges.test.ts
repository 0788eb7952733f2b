// Addresses as numbers, and the allocation of a free one.
import fc from "fast-check";
import { expect, test } from "vitest";
import { apiServiceIp } from "../../../apiserver/bootstrap/objects.ts";
import { block, ipv4, ipv4Text, pickFree, reserved } from "../../../apiserver/admission/services.ts";

test("addresses round-trip through numbers", () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      expect(ipv4Text(ipv4(text)!)).toBe(text);
    }),
  );
  for (const text of ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "a.b.c.d", "::1"])
    expect(ipv4(text)).toBeUndefined();
});
test("the first address and size of a block", () => {
  expect(block("10.96.0.0/16")).toEqual({ first: ipv4("10.96.0.0"), size: 65_536 });
  expect(block("10.96.1.7/24").first).toBe(ipv4("10.96.1.0"));
  expect([reserved(block("10.0.0.0/16")), reserved(block("10.0.0.0/24")), reserved(block("10.0.0.0/20"))]).toEqual([
    256, 16, 256,
  ]);
  for (const text of ["10.96.0.0", "10.96.0.0/33", "x/16", "10.96.0.0/"])
    expect(() => block(text)).toThrow(/no usable IPv4 range/);
  expect(apiServiceIp("10.96.0.0/16")).toBe("10.96.0.1");
});
test("a free number is found exactly when one exists", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 9 })),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (taken, dice) => {
        const picked = pickFree(0, 10, new Set(taken), dice);
        if (taken.length === 10) expect(picked).toBeUndefined();
        else expect(picked !== undefined && picked >= 0 && picked < 10 && !taken.includes(picked)).toBe(true);
      },
    ),
  );
});
