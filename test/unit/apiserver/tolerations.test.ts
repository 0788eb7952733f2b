// Default tolerations for not-ready and unreachable nodes.
import { bootstrappedClient } from "./bootstrapped-client.ts";
import { expect, test } from "vitest";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import { withDefaultTolerations } from "../../../apiserver/admission/pods.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import type { Toleration } from "../../../api/generated/types.ts";

const summaryOf = (all: readonly Toleration[]): string =>
  all.map((t) => `${t.key?.split("/")[1] ?? t.key ?? "anything"} ${t.tolerationSeconds ?? "for ever"}`).join(", ");

const table: readonly (readonly [what: string, held: readonly Toleration[], expected: string])[] = [
  ["no tolerations", [], "not-ready 7, unreachable 7"],
  [
    "one of the two is kept, the other added",
    [{ key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 60 }],
    "unreachable 60, not-ready 7",
  ],
  [
    "a toleration without an effect counts",
    [{ key: "node.kubernetes.io/not-ready", operator: "Exists" }],
    "not-ready for ever, unreachable 7",
  ],
  [
    "a toleration of another effect does not count",
    [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoSchedule" }],
    "not-ready for ever, not-ready 7, unreachable 7",
  ],
  ["a toleration of everything counts", [{ operator: "Exists" }], "anything for ever"],
];
for (const [what, held, expected] of table)
  test(`tolerations: ${what}`, () => expect(summaryOf(withDefaultTolerations(held, 7))).toBe(expected));

test("tolerationSeconds comes from the configuration, with Kubernetes' default", async () => {
  const world = realWorld(() => {});
  for (const [config, expected] of [
    [{ tolerationSeconds: 2 }, "not-ready 2, unreachable 2"],
    [undefined, "not-ready 300, unreachable 300"],
  ] as const) {
    const client = await bootstrappedClient(world, config);
    const spec = { containers: [{ name: "c", image: "i" }] };
    await client.create(pods, { kind: "Pod", metadata: { name: "p", namespace: "default" }, spec });
    expect(summaryOf((await client.get(pods, key("default", "p"))).spec.tolerations ?? [])).toBe(expected);
  }
});
