// What a pod gets from the class of its runtime, and when it is turned away.
import { expect, test } from "vitest";
import type { PodSpec, RuntimeClass, Toleration } from "../../../api/generated/types.ts";
import { podRequests } from "../../../api/core/pod/status.ts";
import { mergedTolerations, withRuntime } from "../../../apiserver/admission/pods.ts";

const spec = (more: Partial<PodSpec> = {}): PodSpec => ({
  containers: [{ name: "c", image: "i", resources: { requests: { cpu: "1" } } }],
  ...more,
});
const kind = (more: Partial<RuntimeClass> = {}): RuntimeClass =>
  ({ metadata: { name: "vm" }, handler: "vm", ...more }) as RuntimeClass;
const overhead = { podFixed: { cpu: "250m" } };
const onVms: Toleration = { key: "vms-only", operator: "Exists" };

const table: readonly (readonly [what: string, own: Partial<PodSpec>, of: RuntimeClass, expected: object | string])[] =
  [
    ["a class that says nothing adds nothing", {}, kind(), {}],
    ["the room a runtime takes is the class's to say", {}, kind({ overhead }), { overhead: { cpu: "250m" } }],
    ["who says the same is believed", { overhead: { cpu: "250m" } }, kind({ overhead }), { overhead: { cpu: "250m" } }],
    [
      "who says something else is not",
      { overhead: { cpu: "1" } },
      kind({ overhead }),
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      "nodes are narrowed",
      { nodeSelector: { disk: "fast" } },
      kind({ scheduling: { nodeSelector: { vm: "yes" } } }),
      { nodeSelector: { disk: "fast", vm: "yes" } },
    ],
    [
      "to contradict the class is refused",
      { nodeSelector: { vm: "no" } },
      kind({ scheduling: { nodeSelector: { vm: "yes" } } }),
      "conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no",
    ],
    [
      "tolerations are added",
      { tolerations: [{ key: "own" }] },
      kind({ scheduling: { tolerations: [onVms] } }),
      { tolerations: [{ key: "own" }, onVms] },
    ],
  ];
for (const [what, own, of, expected] of table)
  test(`runtime classes: ${what}`, () =>
    expect(withRuntime(spec(own), of)).toEqual(
      typeof expected === "string" ? expected : { ...spec(own), ...expected },
    ));

test("runtime classes: the scheduler counts what a runtime takes", () =>
  expect(podRequests(withRuntime(spec(), kind({ overhead })) as PodSpec)["cpu"]).toBe(1250));

const short: Toleration = { key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
const long: Toleration = { ...short, tolerationSeconds: 50 };
const merging: readonly (readonly [what: string, Toleration[], Toleration[], Toleration[]])[] = [
  ["different ones stay side by side", [{ key: "a" }], [{ key: "b" }], [{ key: "a" }, { key: "b" }]],
  ["equal ones are one", [short], [short], [short]],
  ["who bears everything needs nothing else", [short], [{ operator: "Exists" }], [{ operator: "Exists" }]],
  ["the more patient wins, whoever says it", [short], [long], [long]],
  ["the more patient stays", [long], [short], [long]],
  [
    "any value includes one value",
    [{ key: "k", operator: "Equal", value: "v" }],
    [{ key: "k", operator: "Exists" }],
    [{ key: "k", operator: "Exists" }],
  ],
  [
    "of two that mean the same one is left",
    [{ key: "k", operator: "Exists", value: "idle" }],
    [{ key: "k", operator: "Exists" }],
    [{ key: "k", operator: "Exists" }],
  ],
];
for (const [what, own, added, expected] of merging)
  test(`tolerations merged: ${what}`, () => expect(mergedTolerations(own, added)).toEqual(expected));
