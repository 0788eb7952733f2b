// The metrics API for `kubectl top` and the autoscaler.
import { expect, test } from "vitest";
import type { Node } from "../../../api/core/nodes.ts";
import type { Pod } from "../../../api/core/pods.ts";
import { instant } from "../../../api/meta.ts";
import { nodeMetricsOf, podMetricsOf } from "../../../apiserver/kubelets/usage.ts";

const now = instant(Date.UTC(2026, 0, 1));
const time = "2026-01-01T00:00:00Z";
const figures = (nanoCores: number | undefined, bytes: number) => ({
  cpu: { time, ...(nanoCores !== undefined && { usageNanoCores: nanoCores }) },
  memory: { workingSetBytes: bytes },
});
const pod = { metadata: { name: "web", namespace: "shop", uid: "u1", labels: { app: "web" } } } as unknown as Pod;
const known = new Map([["u1", pod]]);
const podRef = { name: "web", namespace: "shop", uid: "u1" };

test("node metrics are in nanocores and KiB", () => {
  const node = { metadata: { name: "n1" } } as unknown as Node;
  expect(nodeMetricsOf(node, { node: figures(123_456_789, 2048) }, now)).toMatchObject([
    { kind: "NodeMetrics", metadata: { name: "n1" }, timestamp: time, usage: { cpu: "123456789n", memory: "2Ki" } },
  ]);
  expect(nodeMetricsOf(node, { node: figures(undefined, 2048) }, now)).toEqual([]);
  expect(nodeMetricsOf(node, { node: {} }, now)).toEqual([]);
});
test("pod metrics are per container and have the pod's labels", () => {
  const containers = [
    { name: "a", ...figures(1, 1024) },
    { name: "b", ...figures(2, 4096) },
  ];
  expect(podMetricsOf(known, { node: {}, pods: [{ podRef, containers }] }, now)).toMatchObject([
    {
      metadata: { name: "web", namespace: "shop", labels: { app: "web" } },
      containers: [
        { name: "a", usage: { cpu: "1n", memory: "1Ki" } },
        { name: "b", usage: { cpu: "2n", memory: "4Ki" } },
      ],
    },
  ]);
});
test("incomplete metrics and those of unknown pods are omitted", () => {
  const half = [
    { name: "a", ...figures(1, 1) },
    { name: "b", ...figures(undefined, 1) },
  ];
  expect(podMetricsOf(known, { node: {}, pods: [{ podRef, containers: half }] }, now)).toEqual([]);
  expect(podMetricsOf(known, { node: {}, pods: [{ podRef, containers: [] }] }, now)).toEqual([]);
  const stranger = { ...podRef, uid: "other" };
  expect(
    podMetricsOf(known, { node: {}, pods: [{ podRef: stranger, containers: [{ name: "a", ...figures(1, 1) }] }] }, now),
  ).toEqual([]);
});
