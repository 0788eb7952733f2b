// RuntimeClass admission: overhead, node selector and tolerations of pods.
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
    ["a class without fields changes nothing", {}, kind(), {}],
    ["overhead is set from the class", {}, kind({ overhead }), { overhead: { cpu: "250m" } }],
    ["an equal overhead is accepted", { overhead: { cpu: "250m" } }, kind({ overhead }), { overhead: { cpu: "250m" } }],
    [
      "a different overhead is refused",
      { overhead: { cpu: "1" } },
      kind({ overhead }),
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      "node selectors are merged",
      { nodeSelector: { disk: "fast" } },
      kind({ scheduling: { nodeSelector: { vm: "yes" } } }),
      { nodeSelector: { disk: "fast", vm: "yes" } },
    ],
    [
      "a conflicting node selector is refused",
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

test("runtime classes: the scheduler counts the overhead", () =>
  expect(podRequests(withRuntime(spec(), kind({ overhead })) as PodSpec)["cpu"]).toBe(1250));

const short: Toleration = { key: "k", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
const long: Toleration = { ...short, tolerationSeconds: 50 };
const merging: readonly (readonly [what: string, Toleration[], Toleration[], Toleration[]])[] = [
  ["different tolerations are kept", [{ key: "a" }], [{ key: "b" }], [{ key: "a" }, { key: "b" }]],
  ["equal tolerations are merged", [short], [short], [short]],
  ["a toleration of everything replaces others", [short], [{ operator: "Exists" }], [{ operator: "Exists" }]],
  ["a longer tolerationSeconds of the class replaces a shorter one", [short], [long], [long]],
  ["a longer tolerationSeconds of the pod is kept", [long], [short], [long]],
  [
    "Exists replaces Equal",
    [{ key: "k", operator: "Equal", value: "v" }],
    [{ key: "k", operator: "Exists" }],
    [{ key: "k", operator: "Exists" }],
  ],
  [
    "equivalent tolerations are merged",
    [{ key: "k", operator: "Exists", value: "idle" }],
    [{ key: "k", operator: "Exists" }],
    [{ key: "k", operator: "Exists" }],
  ],
];
for (const [what, own, added, expected] of merging)
  test(`tolerations merged: ${what}`, () => expect(mergedTolerations(own, added)).toEqual(expected));
