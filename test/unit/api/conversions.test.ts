// Conversions between versions of a kind round-trip.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { HorizontalPodAutoscaler, V2HorizontalPodAutoscaler, V2MetricSpec } from "../../../api/generated/types.ts";
import { canonicalJson } from "../../../api/hash.ts";
import { toV1, toV2 } from "../../../api/autoscaling/horizontalpodautoscalers-v1.ts";
import { fieldsOfStored } from "../../../apiserver/registry/conversion.ts";

const resource = (name: string, target: object): V2MetricSpec =>
  ({ type: "Resource", resource: { name, target } }) as V2MetricSpec;
const cpu = fc
  .integer({ min: 1, max: 200 })
  .map((n) => resource("cpu", { type: "Utilization", averageUtilization: n }));
const others = fc.subarray([
  resource("memory", { type: "AverageValue", averageValue: "1Gi" }),
  { type: "Pods", pods: { metric: { name: "hits" }, target: { type: "AverageValue", averageValue: "10" } } },
] as V2MetricSpec[]);
const autoscaler = fc
  .record({
    cpu: fc.option(cpu, { nil: undefined }),
    others,
    behavior: fc.option(fc.constant({ scaleDown: { stabilizationWindowSeconds: 5 } }), { nil: undefined }),
    note: fc.option(fc.string(), { nil: undefined }),
    condition: fc.boolean(),
  })
  .map(({ cpu: first, others: rest, behavior, note, condition }) => {
    const metrics = [...(first ? [first] : []), ...rest];
    return {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "a", ...(note !== undefined && { annotations: { note } }) },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { kind: "Deployment", name: "web" },
        ...(metrics.length > 0 && { metrics }),
        ...(behavior && { behavior }),
      },
      status: {
        currentReplicas: 1,
        desiredReplicas: 2,
        ...(condition && { conditions: [{ type: "AbleToScale", status: "True" }] }),
      },
    } as unknown as V2HorizontalPodAutoscaler;
  });

test("an autoscaler round-trips through v1", () => {
  fc.assert(
    fc.property(autoscaler, (a) => {
      expect(canonicalJson(toV2(toV1(a)))).toBe(canonicalJson(a));
    }),
    { seed: Number(process.env["SEED"] ?? 7) },
  );
});

test("v1 has a field for CPU utilization and keeps other metrics in annotations", () => {
  const spec = { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "web" } };
  const metrics = [
    resource("cpu", { type: "Utilization", averageUtilization: 70 }),
    resource("memory", { type: "AverageValue", averageValue: "1Gi" }),
  ];
  const old: HorizontalPodAutoscaler = toV1({
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "a", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
    spec: { ...spec, metrics },
  } as V2HorizontalPodAutoscaler);
  expect(old.spec).toEqual({ ...spec, targetCPUUtilizationPercentage: 70 });
  expect(Object.keys(old.metadata.annotations ?? {})).toEqual(["autoscaling.alpha.kubernetes.io/metrics"]);
});

test("field selectors are converted to the storage version", () => {
  const form = { of: undefined as never, toStored: undefined as never, fromStored: undefined as never };
  const fields = { "regarding.name": "involvedObject.name" };
  expect(fieldsOfStored({ ...form, fields }, "regarding.name=a,type!=Normal")).toBe(
    "involvedObject.name=a,type!=Normal",
  );
  expect(fieldsOfStored(form, "type=Normal")).toBe("type=Normal");
});
