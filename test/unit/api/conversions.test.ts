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
const selector = { matchLabels: { a: "b" } };
const web = { apiVersion: "v1", kind: "Service", name: "web" };
const others = fc.subarray([
  resource("memory", { type: "AverageValue", averageValue: "1Gi" }),
  resource("memory", { type: "Utilization", averageUtilization: 40 }),
  { type: "Pods", pods: { metric: { name: "hits" }, target: { type: "AverageValue", averageValue: "10" } } },
  {
    type: "Object",
    object: { describedObject: web, metric: { name: "o", selector }, target: { type: "Value", value: "1" } },
  },
  {
    type: "Object",
    object: { describedObject: web, metric: { name: "o" }, target: { type: "AverageValue", averageValue: "1" } },
  },
  { type: "External", external: { metric: { name: "e", selector }, target: { type: "Value", value: "1" } } },
  { type: "External", external: { metric: { name: "e" }, target: { type: "AverageValue", averageValue: "1" } } },
  {
    type: "ContainerResource",
    containerResource: { name: "cpu", container: "c", target: { type: "Utilization", averageUtilization: 5 } },
  },
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
    const metrics = [...rest, ...(first ? [first] : [])];
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

const prefix = "autoscaling.alpha.kubernetes.io/";
const scaled = (spec: object, status: object = {}): V2HorizontalPodAutoscaler =>
  ({
    ...{ apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", metadata: { name: "a" } },
    spec: { maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "web" }, ...spec },
    status: { currentReplicas: 1, desiredReplicas: 1, ...status },
  }) as unknown as V2HorizontalPodAutoscaler;
const external = { metric: { name: "e", selector }, target: { type: "AverageValue", averageValue: "1" } };
const object = { describedObject: web, metric: { name: "o" }, target: { type: "AverageValue", averageValue: "1" } };
const policies = [{ type: "Pods", value: 4, periodSeconds: 15 }];
const condition = {
  type: "AbleToScale",
  status: "True",
  reason: "R",
  message: "m",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
test.each([
  [
    "metrics",
    scaled({ metrics: [{ type: "External", external }] }),
    '[{"type":"External","external":{"metricName":"e","metricSelector":{"matchLabels":{"a":"b"}},"targetAverageValue":"1"}}]',
  ],
  [
    "metrics",
    scaled({ metrics: [{ type: "Object", object }] }),
    '[{"type":"Object","object":{"target":{"kind":"Service","name":"web","apiVersion":"v1"},"metricName":"o","targetValue":"0","averageValue":"1"}}]',
  ],
  [
    "metrics",
    scaled({ metrics: [resource("memory", { type: "AverageValue", averageValue: "1Gi" })] }),
    '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"1Gi"}}]',
  ],
  [
    "current-metrics",
    scaled(
      {},
      {
        currentMetrics: [
          { type: "External", external: { metric: { name: "e" }, current: { averageValue: "2" } } },
          { type: "" },
        ],
      },
    ),
    '[{"type":"External","external":{"metricName":"e","currentValue":"0","currentAverageValue":"2"}},{"type":""}]',
  ],
  [
    "current-metrics",
    scaled(
      {},
      {
        currentMetrics: [
          { type: "Resource", resource: { name: "cpu", current: { averageUtilization: 5, averageValue: "2" } } },
        ],
      },
    ),
    '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":5,"currentAverageValue":"2"}}]',
  ],
  [
    "behavior",
    scaled({ behavior: { scaleUp: { stabilizationWindowSeconds: 0, selectPolicy: "Max", policies } } }),
    '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":null}',
  ],
  [
    "conditions",
    scaled({}, { conditions: [condition] }),
    '[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"R","message":"m"}]',
  ],
])("v1 keeps %s as Kubernetes does", (field, autoscaler, text) => {
  const old = toV1(autoscaler);
  expect(old.metadata.annotations).toEqual({ [prefix + field]: text });
  const back = toV2(old) as V2HorizontalPodAutoscaler;
  expect([back.spec, back.status?.conditions]).toEqual([autoscaler.spec, autoscaler.status?.conditions]);
  expect(back.metadata.annotations).toBeUndefined();
});

test.each(["metrics", "current-metrics", "behavior", "conditions"])(
  "what a user wrote for %s is ignored where it is none",
  (field) => {
    for (const text of ["", "{", "5", '"a"', "[1]", "[null]", '{"scaleUp":5}', "null"]) {
      const old = toV1(scaled({}));
      expect(() => toV2({ ...old, metadata: { name: "a", annotations: { [prefix + field]: text } } })).not.toThrow();
    }
    expect(toV2({ ...toV1(scaled({})), metadata: { name: "a", annotations: { [prefix + field]: "{" } } }).spec).toEqual(
      scaled({}).spec,
    );
  },
);

test("field selectors are converted to the storage version", () => {
  const form = { of: undefined as never, toStored: undefined as never, fromStored: undefined as never };
  const fields = { "regarding.name": "involvedObject.name" };
  expect(fieldsOfStored({ ...form, fields }, "regarding.name=a,type!=Normal")).toBe(
    "involvedObject.name=a,type!=Normal",
  );
  expect(fieldsOfStored(form, "type=Normal")).toBe("type=Normal");
});
