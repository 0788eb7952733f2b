// Default tolerations for not-ready and unreachable nodes.
import { expect, test } from "vitest";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import { bootstrap } from "../../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { withDefaultTolerations } from "../../../apiserver/admission/pods.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
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
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const world = realWorld(() => {});
  for (const [habits, expected] of [
    [{ tolerationSeconds: 2 }, "not-ready 2, unreachable 2"],
    [undefined, "not-ready 300, unreachable 300"],
  ] as const) {
    const client = inProcessClient(clusterRegistry(memoryStorage(), world, { ...ranges, ...habits }));
    await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
    const spec = { containers: [{ name: "c", image: "i" }] };
    await client.create(pods, { kind: "Pod", metadata: { name: "p", namespace: "default" }, spec });
    expect(summaryOf((await client.get(pods, key("default", "p"))).spec.tolerations ?? [])).toBe(expected);
  }
});
