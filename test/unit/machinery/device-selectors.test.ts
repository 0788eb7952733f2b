// Selectors of devices: what they match, what is refused, in which words.
import { expect, test } from "vitest";
import type { Device } from "../../../api/generated/types.ts";
import { deviceOfDriver, deviceSelector } from "../../../machinery/cel/device-selectors.ts";

const driver = "gpu.example.com";
const device: Device = {
  name: "gpu-0",
  attributes: {
    model: { string: "A100" },
    index: { int: 4 },
    [`${driver}/healthy`]: { bool: true },
    "other.example.com/version": { version: "1.10.0-rc.2" },
  },
  capacity: { memory: { value: "80Gi" }, share: { value: "0.5" } },
};

const outcome = (expression: string): boolean | string => {
  const selector = deviceSelector(expression);
  if ("kind" in selector) return selector.detail;
  try {
    return selector.matches(deviceOfDriver(driver, device));
  } catch (e) {
    return (e as Error).message;
  }
};
const own = `device.attributes["${driver}"]`;
const memory = `device.capacity["${driver}"].memory`;
const version = `device.attributes["other.example.com"].version`;

const table: readonly (readonly [expression: string, outcome: boolean | string | RegExp])[] = [
  [`device.driver == "${driver}"`, true],
  ["device.allowMultipleAllocations", false],
  [`${own}.model == "A100"`, true],
  [`${own}["index"] > 3 && ${own}.index < 5`, true],
  [`${own}.healthy`, true],
  [`${own}.model in ["A100", "H100"]`, true],
  [`"${driver}" in device.attributes`, true],
  [`"none.example.com" in device.attributes`, false],
  [`"model" in device.attributes["none.example.com"]`, false],
  [`has(${own}.model)`, true],
  [`has(${own}.absent)`, false],
  [`!has(${own}.absent) || ${own}.absent == 1`, true],
  [`has(device.attributes["none.example.com"].absent)`, false],
  [`${own}.exists(name, name.startsWith("mod"))`, true],
  [`cel.bind(own, ${own}, own.healthy && own.index == 4)`, true],
  [`${own}.?absent.orValue(true)`, true],
  [`${own}.model.matches("^[AH]1.0$")`, true],
  [`${own}.model.lowerAscii() == "a100"`, true],
  [`${memory}.compareTo(quantity("80Gi")) == 0`, true],
  [`${memory}.isGreaterThan(quantity("79Gi")) && !${memory}.isLessThan(quantity("79Gi"))`, true],
  [`${memory} == quantity("81920Mi")`, true],
  [`${memory}.asInteger() == 85899345920`, true],
  [`${memory}.add(quantity("1Gi")).sub(1).sign() == 1`, true],
  [`isQuantity("1Gi") && !isQuantity("1Zi")`, true],
  [`device.capacity["${driver}"].share.isInteger()`, false],
  [`${version}.isLessThan(semver("1.10.0"))`, true],
  [`${version}.isGreaterThan(semver("1.9.0"))`, true],
  [`${version}.compareTo(semver("1.10.0-rc.10")) == -1`, true],
  [`${version} == semver("1.10.0-rc.2+build.7")`, true],
  [`semver("v01.2", true) == semver("1.2.0") && ${version}.minor() == 10`, true],
  [`isSemver("1.0") || isSemver("v1.0.0")`, false],
  // What goes wrong while it runs.
  [`${own}.absent`, "no such key: absent"],
  [`${own}.absent || true`, true],
  [`${own}.model`, "CEL result of type string could not be converted to bool"],
  // What is refused.
  [
    "noSuch",
    /^compilation failed: ERROR: <input>:1:1: undeclared reference to 'noSuch' \(in container ''\)\n \| noSuch\n \| \^$/,
  ],
  ["device.noSuch", /undefined field 'noSuch'/],
  [`"a" + 1 == "a1"`, /found no matching overload for '_\+_' applied to '\(string, int\)'/],
  ["device.driver == ", /Syntax error/],
  ["device.driver", "must evaluate to bool or the unknown type, not string"],
];
for (const [expression, expected] of table)
  test(`selector: ${expression}`, () =>
    expected instanceof RegExp
      ? expect(outcome(expression)).toMatch(expected)
      : expect(outcome(expression)).toBe(expected));

const list = `[${Array.from({ length: 100 }, (_, i) => i).join(",")}]`;
const nested = (depth: number): string => (depth === 0 ? "true" : `${list}.all(x${depth}, ${nested(depth - 1)})`);
test("an expression that could run for long is refused before it runs", () => {
  expect(outcome(nested(2))).toBe(true);
  expect(outcome(nested(6))).toBe("too complex, exceeds cost limit");
});

test("a pattern takes linear time", () => expect(outcome(`"${"a".repeat(60)}!".matches("^(a+)+$")`)).toBe(false));
