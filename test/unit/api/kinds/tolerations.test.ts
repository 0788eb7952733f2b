// Matching and validation of tolerations.
import { describe, expect, test } from "vitest";
import { runtimeClasses } from "../../../../api/node/runtimeclasses.ts";
import { tolerates } from "../../../../api/core/pod/tolerations.ts";
import { refuses } from "./validation-cases.ts";

describe("toleration matches taint", () => {
  const taint = { key: "a", value: "1", effect: "NoExecute" } as const;
  for (const [what, toleration, yes] of [
    ["the same key and value", { key: "a", operator: "Equal", value: "1" }, true],
    ["another value", { key: "a", value: "2" }, false],
    ["any value of the key", { key: "a", operator: "Exists" }, true],
    ["another effect", { key: "a", operator: "Exists", effect: "NoSchedule" }, false],
    ["everything", { operator: "Exists" }, true],
    ["an empty toleration", {}, false],
    ["no key, and the same value", { operator: "Equal", value: "1" }, false],
  ] as const)
    test(`${what}: ${yes}`, () => expect(tolerates(toleration, taint)).toBe(yes));
});

refuses(runtimeClasses, [
  [
    "invalid tolerations and a duplicate",
    {
      handler: "runc",
      overhead: { podFixed: { cpu: "-1" } },
      scheduling: {
        tolerations: [
          { key: "a", operator: "Exists", value: "x" },
          { key: "b", operator: "Exists", effect: "NoExecute" },
          { key: "b", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 },
        ],
      },
    },
    'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    'scheduling.tolerations[0].operator: Invalid value: {"Key":"a","Operator":"Exists","Value":"x","Effect":"","TolerationSeconds":null}: value must be empty when `operator` is \'Exists\'',
    'scheduling.tolerations[2]: Duplicate value: {"Key":"b","Operator":"Exists","Value":"","Effect":"NoExecute","TolerationSeconds":1}',
  ],
]);
