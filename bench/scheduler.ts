// How many pods a second `place` finds a node for among a thousand, beside the same among a hundred.
import type { Node, Pod } from "../api/generated/types.ts";
import { schedulerCache } from "../scheduler/cache.ts";
import { place } from "../scheduler/place.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import { report } from "./report.ts";

const podCount = 2_000;
const node = (i: number): Node =>
  ({
    metadata: { name: `node-${i}`, labels: { zone: `z${i % 3}` } },
    spec: {},
    status: { allocatable: { cpu: "16", memory: "64Gi", pods: "110" } },
  }) as unknown as Node;
const pod = (i: number): Pod =>
  ({
    metadata: { name: `pod-${i}`, namespace: "default" },
    spec: {
      containers: [{ name: "c", image: "app:1", resources: { requests: { cpu: "100m", memory: "64Mi" } } }],
      nodeSelector: { zone: `z${i % 3}` },
    },
  }) as unknown as Pod;

function perSecond(nodeCount: number): number {
  const plugins = defaultPlugins();
  const cache = schedulerCache();
  for (let i = 0; i < nodeCount; i++) cache.nodeSeen(`node-${i}`, node(i));
  const began = performance.now();
  for (let i = 0; i < podCount; i++) {
    const placement = place(pod(i), cache.snapshot(), plugins);
    if (placement.outcome === "placed") cache.assume(pod(i), placement.nodeName);
  }
  return (1000 * podCount) / (performance.now() - began);
}

perSecond(100);
report({
  what: "pods placed among 1,000 nodes",
  value: perSecond(1_000),
  unit: "/s",
  beside: { what: "among 100", value: perSecond(100), unit: "/s" },
  budget: { atLeast: 300 },
});
