// Where pods may go and where they do: rows that read like sentences.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { place } from "../../../scheduler/place.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import type { Snapshot } from "../../../scheduler/framework.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";

const node = (
  name: string,
  more: { readonly spec?: object; readonly labels?: object; readonly cpu?: string; readonly images?: object } = {},
): Node =>
  ({
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...more.labels } },
    spec: more.spec ?? {},
    status: { allocatable: { cpu: more.cpu ?? "1", memory: "1Gi", pods: "10" }, images: more.images },
  }) as unknown as Node;
const pod = (cpu: string, spec: object = {}, name = "p"): Pod =>
  ({
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "c", image: "app:1", resources: { requests: { cpu } } }], ...spec },
  }) as unknown as Pod;
const port = (hostPort: number): object => ({ containers: [{ name: "c", ports: [{ containerPort: 80, hostPort }] }] });

const prefer = (weight: number, disk: string) => ({
  affinity: {
    nodeAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight, preference: { matchExpressions: [{ key: "disk", operator: "In", values: [disk] }] } },
      ],
    },
  },
});
const require = (expression: object) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
    },
  },
});
const tainted = { spec: { taints: [{ key: "gpu", value: "a100", effect: "NoSchedule" }] } };

/** A node and its pods, which need no names of their own. */
interface Occupied {
  readonly node: Node;
  readonly pods: readonly Pod[];
}
const on = (node: Node, ...pods: readonly Pod[]): Occupied => ({ node, pods });
const snapshotOf = (all: readonly Occupied[]): Snapshot => {
  const cache = schedulerCache();
  for (const { node, pods } of all) {
    cache.nodeSeen(node.metadata.name, node);
    for (const [i, p] of pods.entries())
      cache.assume({ ...p, metadata: { ...p.metadata, name: `${node.metadata.name}-${i}` } }, node.metadata.name);
  }
  return cache.snapshot();
};
const a = on(node("a"));
const b = on(node("b"));
const half = on(node("b"), pod("500m"));
const table: readonly (readonly [what: string, pod: Pod, all: readonly Occupied[], where: string])[] = [
  ["ties break by name", pod("100m"), [b, a], "a"],
  ["nodes are filled up, not spread over", pod("100m"), [a, half], "b"],
  ["a full node is passed over", pod("600m"), [a, half], "a"],
  ["a node exactly full is full enough", pod("500m"), [half], "b"],
  ["a pod that requests nothing fits a full node", pod("0"), [on(node("b"), pod("1"))], "b"],
  ["a cordoned node takes nobody", pod("1m"), [on(node("a", { spec: { unschedulable: true } })), b], "b"],
  ["a taint keeps away who does not tolerate it", pod("1m"), [on(node("a", tainted)), b], "b"],
  [
    "a toleration lets in",
    pod("1m", { tolerations: [{ key: "gpu", operator: "Exists" }] }),
    [on(node("a", tainted))],
    "a",
  ],
  [
    "a node selector is obeyed",
    pod("1m", { nodeSelector: { disk: "ssd" } }),
    [a, on(node("b", { labels: { disk: "ssd" } }))],
    "b",
  ],
  [
    "required affinity may compare numbers",
    pod("1m", require({ key: "cores", operator: "Gt", values: ["4"] })),
    [on(node("a", { labels: { cores: "4" } })), on(node("b", { labels: { cores: "8" } }))],
    "b",
  ],
  [
    "preferred affinity outweighs packing",
    pod("1m", prefer(100, "ssd")),
    [half, on(node("c", { labels: { disk: "ssd" } }))],
    "c",
  ],
  ["a host port is given once", pod("1m", port(80)), [on(node("a"), pod("1m", port(80))), b], "b"],
  [
    "an image that is there saves a pull",
    pod("1m"),
    [a, on(node("b", { images: [{ names: ["app:1"], sizeBytes: 900 * 2 ** 20 }] }))],
    "b",
  ],
  ["a pod that names its node goes there", pod("1m", { nodeName: "b" }), [a, b], "b"],
];
for (const [what, p, all, where] of table)
  test(`placing: ${what}`, () =>
    expect(place(p, snapshotOf(all), defaultPlugins())).toMatchObject({ outcome: "placed", nodeName: where }));

test("placing: spread by choice", () =>
  expect(place(pod("100m"), snapshotOf([a, half]), defaultPlugins("LeastAllocated"))).toMatchObject({ nodeName: "a" }));

test("placing: pods that request nothing are spread by how many there are", () => {
  const idle = on(node("a"), pod("0"), pod("0"));
  expect(place(pod("0"), snapshotOf([idle, on(node("b"), pod("0"))]), defaultPlugins("LeastAllocated"))).toMatchObject({
    nodeName: "b",
  });
});

const refusals: readonly (readonly [what: string, pod: Pod, all: readonly Occupied[], said: string])[] = [
  ["there is nobody", pod("1m"), [], "no nodes available to schedule pods"],
  [
    "reasons are counted, several a node if need be",
    pod("2", { containers: [{ name: "c", resources: { requests: { cpu: "2", memory: "2Gi" } } }] }),
    [a, b, on(node("c", tainted))],
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
  ],
  [
    "a node that is full of pods",
    pod("1m"),
    [on(node("a"), ...Array.from({ length: 10 }, () => pod("1m")))],
    "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
];
for (const [what, p, all, said] of refusals)
  test(`refusing: ${what}`, () => {
    const placement = place(p, snapshotOf(all), defaultPlugins());
    expect(placement.outcome === "unschedulable" && placement.diagnosis.message).toBe(said);
  });
