// Sizes as users write them.
import { describe, expect, test } from "vitest";
import { defaultSize, parseCount, parseCpus, parseMemory } from "../../../../cli/cluster/size.ts";

const gibi = 2 ** 30;

describe("sizes", () => {
  const good = [
    ["two gibibytes", parseMemory("2Gi"), 2 * gibi],
    ["half a gibibyte in mebibytes", parseMemory("512Mi"), gibi / 2],
    ["a decimal gigabyte", parseMemory("1G"), 1e9],
    ["two processors", parseCpus("2", 4), 2],
    ["a part of one", parseCpus("500m", 4), 0.5],
    ["a count", parseCount("3", "nodes", 1, 9), 3],
  ] as const;
  for (const [what, got, expected] of good) test(what, () => expect(got).toBe(expected));

  const bad = [
    ["memory without a number", () => parseMemory("lots"), /"lots" is no amount of memory/],
    ["too little memory", () => parseMemory("10Mi"), /"10Mi" is no amount/],
    ["more processors than there are", () => parseCpus("5", 4), /"5" is no number of processors/],
    ["no processors", () => parseCpus("0", 4), /"0" is no number/],
    ["half a node", () => parseCount("1.5", "nodes", 1, 9), /"1.5" is no number of nodes/],
    ["too many nodes", () => parseCount("10", "nodes", 1, 9), /"10" is no number of nodes/],
  ] as const;
  for (const [what, attempt, expected] of bad) test(`refuses ${what}`, () => expect(attempt).toThrow(expected));
});

describe("the usual size", () => {
  const machines = [
    ["two processors and plenty of memory", { cpus: 2, memoryBytes: 24 * gibi }, 3, { cpus: "2", memory: "2Gi" }],
    ["a large machine", { cpus: 16, memoryBytes: 64 * gibi }, 3, { cpus: "2", memory: "2Gi" }],
    ["a single processor", { cpus: 1, memoryBytes: 4 * gibi }, 1, { cpus: "1", memory: "2Gi" }],
    ["four gibibytes for three nodes", { cpus: 2, memoryBytes: 4 * gibi }, 3, { cpus: "2", memory: "1Gi" }],
    ["many nodes on a small machine", { cpus: 2, memoryBytes: 4 * gibi }, 20, { cpus: "2", memory: "0.5Gi" }],
  ] as const;
  for (const [what, machine, nodes, expected] of machines) {
    test(what, () => {
      expect(defaultSize(machine, nodes)).toEqual(expected);
      expect(parseMemory(defaultSize(machine, nodes).memory)).toBeGreaterThan(0);
    });
  }
});
