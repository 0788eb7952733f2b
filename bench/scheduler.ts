// Pods per second that `place` places on 1,000 and 5,000 nodes, compared with 100 nodes.
import type { Node, Pod } from "../api/generated/types.ts";
import { schedulerCache } from "../scheduler/cache.ts";
import { place } from "../scheduler/place.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { report } from "./report.ts";

const podCount = 4_000;
const mebi = 2 ** 20;
/** Twenty images; pods use one of them. */
const images = Array.from({ length: 20 }, (_, i) => ({ names: [`app-${i}:1`], sizeBytes: (50 + 20 * i) * mebi }));
const node = (i: number): Node =>
  ({
    metadata: { name: `node-${i}`, labels: { zone: `z${i % 3}`, "topology.kubernetes.io/zone": `z${i % 3}` } },
    // Every tenth node has a taint that no pod tolerates, and every third one that counts against it.
    spec: {
      taints: [
        ...(i % 10 === 0 ? [{ key: "dedicated", value: `team-${i % 4}`, effect: "NoSchedule" }] : []),
        ...(i % 3 === 0 ? [{ key: "spot", effect: "PreferNoSchedule" }] : []),
      ],
    },
    status: { allocatable: { cpu: "16", memory: "64Gi", pods: "110" }, images: images.slice(i % 10) },
  }) as unknown as Node;
const tolerations = ["not-ready", "unreachable"].map((key) => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 300,
}));
const pod = (i: number): Pod =>
  ({
    metadata: { name: `pod-${i}`, namespace: "default" },
    spec: {
      containers: [{ name: "c", image: "app-3:1", resources: { requests: { cpu: "100m", memory: "64Mi" } } }],
      nodeSelector: { zone: `z${i % 3}` },
      tolerations,
    },
  }) as unknown as Pod;

function perSecond(nodeCount: number): number {
  const plugins = defaultPlugins();
  const cache = schedulerCache();
  for (let i = 0; i < nodeCount; i++) cache.nodeSeen(`node-${i}`, node(i));
  const began = performance.now();
  let startIndex = 0;
  for (let i = 0; i < podCount; i++) {
    const placement = place(pod(i), cache.snapshot(), plugins, { startIndex });
    startIndex = (startIndex + placement.nodesVisited) % nodeCount;
    if (placement.outcome === "placed") cache.assume(pod(i), placement.nodeName);
  }
  return (1000 * podCount) / (performance.now() - began);
}

perSecond(100);
const beside = { what: "among 100", value: perSecond(100), unit: "/s" as const };
for (const [nodeCount, atLeast] of [
  [1_000, 500],
  [5_000, 300],
] as const)
  report({
    what: `pods placed among ${nodeCount.toLocaleString("en")} nodes`,
    value: perSecond(nodeCount),
    unit: "/s",
    beside,
    budget: { atLeast },
  });
