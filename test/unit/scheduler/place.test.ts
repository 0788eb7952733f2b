// Filtering and scoring: the node of a pod, or the reasons against all nodes.
import { expect, test } from "vitest";
import type { Node, Pod } from "../../../api/generated/types.ts";
import { place } from "../../../scheduler/place.ts";
import { schedulerCache } from "../../../scheduler/cache.ts";
import type { Snapshot } from "../../../scheduler/framework.ts";
import { defaultPlugins } from "../../../scheduler/plugins/default.ts";
import { listersOf } from "./storage.ts";

interface NodeOptions {
  readonly spec?: object;
  readonly labels?: object;
  readonly cpu?: string;
  readonly images?: object;
  readonly allocatable?: object;
}
const node = (name: string, more: NodeOptions = {}): Node =>
  ({
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...more.labels } },
    spec: more.spec ?? {},
    status: {
      allocatable: { cpu: more.cpu ?? "1", memory: "1Gi", pods: "10", ...more.allocatable },
      images: more.images,
    },
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

/** A node and its pods; their names are generated. */
interface Occupied {
  readonly node: Node;
  readonly pods: readonly Pod[];
}
const on = (node: Node, ...pods: readonly Pod[]): Occupied => ({ node, pods });
const snapshotOf = (all: readonly Occupied[]): Snapshot => {
  const cache = schedulerCache(listersOf([]));
  for (const { node, pods } of all) {
    cache.nodeSeen(node.metadata.name, node);
    for (const [i, p] of pods.entries())
      cache.assume({ ...p, metadata: { ...p.metadata, name: `${node.metadata.name}-${i}` } }, node.metadata.name);
  }
  return cache.snapshot();
};
const withFeatures = (name: string, ...declaredFeatures: readonly string[]): Node => {
  const plain = node(name);
  return { ...plain, status: { ...plain.status, declaredFeatures } };
};
const a = on(node("a"));
const b = on(node("b"));
const half = on(node("b"), pod("500m"));
const table: readonly (readonly [what: string, pod: Pod, all: readonly Occupied[], where: string])[] = [
  ["equal scores: the first by name", pod("100m"), [b, a], "a"],
  ["the default strategy packs nodes", pod("100m"), [a, half], "b"],
  [
    "a node that declares the features of the pod",
    pod("1m", { hostNetwork: true, hostUsers: false }),
    [a, on(withFeatures("b", "UserNamespacesHostNetworkSupport"))],
    "b",
  ],
  ["a full node is not chosen", pod("600m"), [a, half], "a"],
  ["a pod can fill a node exactly", pod("500m"), [half], "b"],
  ["a pod that requests nothing fits a full node", pod("0"), [on(node("b"), pod("1"))], "b"],
  ["a cordoned node is not chosen", pod("1m"), [on(node("a", { spec: { unschedulable: true } })), b], "b"],
  ["a node with an untolerated taint is not chosen", pod("1m"), [on(node("a", tainted)), b], "b"],
  [
    "a tolerated node can be chosen",
    pod("1m", { tolerations: [{ key: "gpu", operator: "Exists" }] }),
    [on(node("a", tainted))],
    "a",
  ],
  [
    "a node selector",
    pod("1m", { nodeSelector: { disk: "ssd" } }),
    [a, on(node("b", { labels: { disk: "ssd" } }))],
    "b",
  ],
  [
    "required affinity with Gt",
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
  ["a used host port", pod("1m", port(80)), [on(node("a"), pod("1m", port(80))), b], "b"],
  [
    "a node with the image is preferred",
    pod("1m"),
    [a, on(node("b", { images: [{ names: ["app:1"], sizeBytes: 900 * 2 ** 20 }] }))],
    "b",
  ],
  ["a pod with a node name", pod("1m", { nodeName: "b" }), [a, b], "b"],
];
for (const [what, p, all, where] of table)
  test(`placing: ${what}`, () =>
    expect(place(p, snapshotOf(all), defaultPlugins())).toMatchObject({ outcome: "placed", nodeName: where }));

test("placing: LeastAllocated spreads pods", () =>
  expect(place(pod("100m"), snapshotOf([a, half]), defaultPlugins("LeastAllocated"))).toMatchObject({ nodeName: "a" }));

test("placing: pods without requests are spread by pod count", () => {
  const idle = on(node("a"), pod("0"), pod("0"));
  expect(place(pod("0"), snapshotOf([idle, on(node("b"), pod("0"))]), defaultPlugins("LeastAllocated"))).toMatchObject({
    nodeName: "b",
  });
});

const requesting = (requests: object, more: object = {}): Pod =>
  pod("0", { containers: [{ name: "c", image: "app:1", resources: { requests } }], ...more });
const offering = (allocatable: object, ...pods: readonly Pod[]): Occupied => on(node("b", { allocatable }), ...pods);
const sidecar = (cpu: string): object => ({ name: "s", restartPolicy: "Always", resources: { requests: { cpu } } });
const init = (cpu: string): object => ({ name: "i", resources: { requests: { cpu } } });
/** Whether the pod fits on node b with 1 CPU and additional resources. */
const room: readonly (readonly [what: string, pod: Pod, on: Occupied, refusal: string | undefined])[] = [
  [
    "ephemeral storage",
    requesting({ "ephemeral-storage": "2Gi" }),
    offering({ "ephemeral-storage": "1Gi" }),
    "Insufficient ephemeral-storage",
  ],
  [
    "huge pages",
    requesting({ "hugepages-2Mi": "4Mi" }),
    offering({ "hugepages-2Mi": "2Mi" }),
    "Insufficient hugepages-2Mi",
  ],
  ["an extended resource", requesting({ "example.org/gpu": "1" }), offering({ "example.org/gpu": "1" }), undefined],
  [
    "an extended resource in use",
    requesting({ "example.org/gpu": "1" }),
    offering({ "example.org/gpu": "1" }, requesting({ "example.org/gpu": "1" })),
    "Insufficient example.org/gpu",
  ],
  [
    "an extended resource that the node does not offer",
    requesting({ "example.org/gpu": "1" }),
    offering({}),
    "Insufficient example.org/gpu",
  ],
  ["zero of a resource that the node does not offer", requesting({ "example.org/gpu": "0" }), offering({}), undefined],
  ["overhead", requesting({ cpu: "900m" }, { overhead: { cpu: "200m" } }), offering({}), "Insufficient cpu"],
  [
    "an init container with the largest request",
    requesting({ cpu: "100m" }, { initContainers: [init("2")] }),
    offering({}),
    "Insufficient cpu",
  ],
  [
    "an init container beside a sidecar",
    requesting({ cpu: "100m" }, { initContainers: [sidecar("400m"), init("700m")] }),
    offering({}),
    "Insufficient cpu",
  ],
  [
    "an init container before a sidecar",
    requesting({ cpu: "100m" }, { initContainers: [init("700m"), sidecar("400m")] }),
    offering({}),
    undefined,
  ],
  [
    "a sidecar beside the containers",
    requesting({ cpu: "700m" }, { initContainers: [sidecar("400m")] }),
    offering({}),
    "Insufficient cpu",
  ],
  [
    "a pod-level request",
    requesting({ cpu: "2" }, { resources: { requests: { cpu: "500m" } } }),
    offering({}),
    undefined,
  ],
  [
    "a pod-level request with overhead",
    requesting({}, { resources: { requests: { cpu: "900m" } }, overhead: { cpu: "200m" } }),
    offering({}),
    "Insufficient cpu",
  ],
];
for (const [what, p, where, refusal] of room)
  test(`fit of ${what}: ${refusal ?? "fits"}`, () => {
    const placement = place(p, snapshotOf([where]), defaultPlugins());
    expect(
      placement.outcome === "placed" ? undefined : placement.diagnosis.rejections.nodes()[0]!.status.reasons,
    ).toEqual(refusal && [refusal]);
  });

const resized = (requested: string, allocated: string, inForce: string, conditions: readonly object[] = []): Pod => ({
  ...requesting({ cpu: requested }),
  status: {
    conditions,
    containerStatuses: [
      { name: "c", allocatedResources: { cpu: allocated }, resources: { requests: { cpu: inForce } } },
    ],
  } as unknown as Pod["status"],
});
const infeasible = [{ type: "PodResizePending", status: "True", reason: "Infeasible" }];
/** The free CPU of a node with 1 CPU beside a pod being resized. */
const beside: readonly (readonly [what: string, resized: Pod, fits: string, tooMuch: string])[] = [
  ["grows", resized("600m", "300m", "300m"), "400m", "500m"],
  ["shrinks and still uses its previous resources", resized("300m", "300m", "600m"), "400m", "500m"],
  ["has shrunk", resized("300m", "300m", "300m"), "700m", "800m"],
  ["has an infeasible resize", resized("64", "300m", "300m", infeasible), "700m", "800m"],
];
for (const [what, other, fits, tooMuch] of beside)
  test(`free resources beside a pod that ${what}`, () => {
    const outcome = (cpu: string): string =>
      place(pod(cpu), snapshotOf([on(node("b"), other)]), defaultPlugins()).outcome;
    expect([outcome(fits), outcome(tooMuch)]).toEqual(["placed", "unschedulable"]);
  });

const named = (...names: readonly string[]) => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchFields: names.map((name) => ({ key: "metadata.name", operator: "In", values: [name] })) },
        ],
      },
    },
  },
});

const refusals: readonly (readonly [what: string, pod: Pod, all: readonly Occupied[], message: string])[] = [
  ["no nodes", pod("1m"), [], "no nodes available to schedule pods"],
  [
    "reasons are counted, also several per node",
    pod("2", { containers: [{ name: "c", resources: { requests: { cpu: "2", memory: "2Gi" } } }] }),
    [a, b, on(node("c", tainted))],
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
  ],
  [
    "an affinity to one node excludes the others",
    pod("600m", named("b")),
    [a, half],
    "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity]. no new claims to deallocate, preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
  ],
  [
    "a feature that no node declares",
    pod("1m", { hostNetwork: true, hostUsers: false }),
    [on(withFeatures("a")), on(withFeatures("b", "Other"))],
    "0/2 nodes are available: 2 node(s) didn't match Pod's required features. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  ],
  [
    "affinity terms that no node can satisfy",
    pod("1m", named("a", "b")),
    [a, b],
    "0/2 nodes are available: pod affinity terms conflict. not found",
  ],
  [
    "a pod that never preempts",
    pod("600m", { preemptionPolicy: "Never" }),
    [half],
    "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
  ],
  [
    "a node that is full of pods",
    pod("1m"),
    [on(node("a"), ...Array.from({ length: 10 }, () => pod("1m")))],
    "0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  [
    "a node that is full of pods and lacks CPU",
    pod("600m"),
    [on(node("a"), ...Array.from({ length: 10 }, () => pod("50m")))],
    "0/1 nodes are available: 1 Insufficient cpu, 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
  ],
  [
    "reasons are sorted as texts, numbers included",
    pod("600m"),
    [
      ...Array.from({ length: 10 }, (_, i) => on(node(`full-${i}`), pod("500m"))),
      ...Array.from({ length: 2 }, (_, i) => on(node(`cordoned-${i}`, { spec: { unschedulable: true } }))),
      on(node("tainted", tainted)),
    ],
    "0/13 nodes are available: 1 node(s) had untolerated taint(s), 10 Insufficient cpu, 2 node(s) were unschedulable. no new claims to deallocate, preemption: 0/13 nodes are available: 10 No preemption victims found for incoming pod, 3 Preemption is not helpful for scheduling.",
  ],
  [
    "what is in the way when less important pods have left",
    pod("600m", { priority: 5 }),
    [on(node("a"), pod("500m", { priority: 9 }), pod("100m")), on(node("b"), pod("500m", { priority: 9 }))],
    "0/2 nodes are available: 2 Insufficient cpu. no new claims to deallocate, preemption: 0/2 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod.",
  ],
];
for (const [what, p, all, message] of refusals)
  test(`unschedulable: ${what}`, () => {
    const placement = place(p, snapshotOf(all), defaultPlugins());
    expect(placement.outcome === "unschedulable" && placement.diagnosis.message).toBe(message);
  });
