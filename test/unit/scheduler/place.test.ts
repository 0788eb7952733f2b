// Where pods may go and where they do: rows that read like sentences.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { explain, nodeView, place, type NodeView } from "../../../scheduler/framework.ts";
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

const a = nodeView(node("a"), []);
const b = nodeView(node("b"), []);
const half = nodeView(node("b"), [pod("500m")]);
const table: readonly (readonly [what: string, pod: Pod, all: readonly NodeView[], where: string])[] = [
  ["ties break by name", pod("100m"), [b, a], "a"],
  ["nodes are filled up, not spread over", pod("100m"), [a, half], "b"],
  ["a full node is passed over", pod("600m"), [a, half], "a"],
  ["a node exactly full is full enough", pod("500m"), [half], "b"],
  ["a pod that requests nothing fits a full node", pod("0"), [nodeView(node("b"), [pod("1")])], "b"],
  ["a cordoned node takes nobody", pod("1m"), [nodeView(node("a", { spec: { unschedulable: true } }), []), b], "b"],
  ["a taint keeps away who does not tolerate it", pod("1m"), [nodeView(node("a", tainted), []), b], "b"],
  [
    "a toleration lets in",
    pod("1m", { tolerations: [{ key: "gpu", operator: "Exists" }] }),
    [nodeView(node("a", tainted), [])],
    "a",
  ],
  [
    "a node selector is obeyed",
    pod("1m", { nodeSelector: { disk: "ssd" } }),
    [a, nodeView(node("b", { labels: { disk: "ssd" } }), [])],
    "b",
  ],
  [
    "required affinity may compare numbers",
    pod("1m", require({ key: "cores", operator: "Gt", values: ["4"] })),
    [nodeView(node("a", { labels: { cores: "4" } }), []), nodeView(node("b", { labels: { cores: "8" } }), [])],
    "b",
  ],
  [
    "preferred affinity outweighs packing",
    pod("1m", prefer(100, "ssd")),
    [half, nodeView(node("c", { labels: { disk: "ssd" } }), [])],
    "c",
  ],
  ["a host port is given once", pod("1m", port(80)), [nodeView(node("a"), [pod("1m", port(80))]), b], "b"],
  [
    "an image that is there saves a pull",
    pod("1m"),
    [a, nodeView(node("b", { images: [{ names: ["app:1"], sizeBytes: 900 * 2 ** 20 }] }), [])],
    "b",
  ],
  ["a pod that names its node goes there", pod("1m", { nodeName: "b" }), [a, b], "b"],
];
for (const [what, p, all, where] of table)
  test(`placing: ${what}`, () =>
    expect(place(p, all, defaultPlugins())).toMatchObject({ outcome: "placed", nodeName: where }));

test("placing: spread by choice", () =>
  expect(place(pod("100m"), [a, half], defaultPlugins("LeastAllocated"))).toMatchObject({ nodeName: "a" }));

test("placing: pods that request nothing are spread by how many there are", () => {
  const idle = nodeView(node("a"), [pod("0"), pod("0")]);
  expect(place(pod("0"), [idle, nodeView(node("b"), [pod("0")])], defaultPlugins("LeastAllocated"))).toMatchObject({
    nodeName: "b",
  });
});

const refusals: readonly (readonly [what: string, pod: Pod, all: readonly NodeView[], said: string])[] = [
  ["there is nobody", pod("1m"), [], "no nodes available to schedule pods"],
  [
    "reasons are counted, several a node if need be",
    pod("2", { containers: [{ name: "c", resources: { requests: { cpu: "2", memory: "2Gi" } } }] }),
    [a, b, nodeView(node("c", tainted), [])],
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.",
  ],
  [
    "a node that is full of pods",
    pod("1m"),
    [
      nodeView(
        node("a"),
        Array.from({ length: 10 }, (_, i) => pod("1m", {}, `p${i}`)),
      ),
    ],
    "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
];
for (const [what, p, all, said] of refusals)
  test(`refusing: ${what}`, () => {
    const placement = place(p, all, defaultPlugins());
    expect(placement.outcome === "unschedulable" && explain(placement.because)).toBe(said);
  });
