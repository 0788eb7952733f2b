// Metrics of pods, of objects and of the outside: sizes, statuses, and what is reported when they cannot be read.
import { expect, test } from "vitest";
import { ApiError } from "../../../api/errors.ts";
import type { Pod } from "../../../api/generated/types.ts";
import type { MetricQuery, MetricValue } from "../../../api/metrics/values.ts";
import { type Apis, look } from "./autoscaling.ts";
import { pod } from "./world.ts";

const [a, b] = [pod("a"), pod("b")];
const pending = pod("b", { phase: "Pending", ready: false });
const timestamp = "2026-01-01T12:00:00Z";
const ofPod = (name: string, value: string): MetricValue => ({
  ...{ describedObject: { kind: "Pod", namespace: "default", name, apiVersion: "/v1" }, timestamp, value },
});
const amount = (value: string): MetricValue => ({ timestamp, value });
const responding = (...values: readonly MetricValue[]): Apis => ({ values: async () => values });

const metric = { name: "queue" };
const selector = { matchLabels: { tier: "b", app: "a" } };
const average = (averageValue: string) => ({ type: "AverageValue", averageValue });
const exactly = (value: string) => ({ type: "Value", value });
const service = { apiVersion: "v1", kind: "Service", name: "web" };
const pods = (target = average("10")) => ({ type: "Pods", pods: { metric, target } });
const object = (target: object = exactly("10"), describedObject: object = service) => ({
  ...{ type: "Object", object: { metric, target, describedObject } },
});
const external = (target: object = exactly("10"), more: object = {}) => ({
  ...{ type: "External", external: { metric: { ...metric, ...more }, target } },
});

const sizes: readonly (readonly [
  what: string,
  of: readonly Pod[],
  apis: Apis,
  metrics: readonly object[],
  n: number,
])[] = [
  ["pods above their target", [a, b], responding(ofPod("a", "20"), ofPod("b", "20")), [pods()], 4],
  ["pods below their target", [a, b], responding(ofPod("a", "3"), ofPod("b", "2500m")), [pods()], 1],
  ["pods within the tolerance", [a, b], responding(ofPod("a", "10"), ofPod("b", "12")), [pods()], 2],
  ["a pod without the metric has the target when it would shrink", [a, b], responding(ofPod("a", "1")), [pods()], 2],
  ["a pod without the metric has nothing when it would grow", [a, b], responding(ofPod("a", "30")), [pods()], 3],
  ["a pending pod has nothing when it would grow", [a, pending], responding(ofPod("a", "30")), [pods()], 3],
  ["an object's value", [a, b], responding(amount("25")), [object()], 5],
  ["an object's value counts ready pods", [a, pending], responding(amount("25")), [object()], 3],
  ["an object's value within the tolerance", [a, b], responding(amount("11")), [object()], 2],
  ["an object's average", [a, b], responding(amount("41")), [object(average("10"))], 5],
  ["an object's average within the tolerance", [a, b], responding(amount("21")), [object(average("10"))], 2],
  ["the sum of external values", [a, b], responding(amount("12"), amount("13")), [external()], 5],
  ["the average of external values", [a, b], responding(amount("12"), amount("31")), [external(average("10"))], 5],
  ["an external value of nothing", [a, b], responding(amount("0")), [external()], 1],
  ["at most maxReplicas, however much waits", [a, b], responding(amount("1e30")), [external(average("1"))], 6],
  ["the largest of several", [a, b], responding(amount("30")), [external(exactly("30")), external(average("10"))], 3],
];
for (const [what, of, apis, metrics, replicas] of sizes)
  test(`autoscaler: ${what}`, async () => expect((await look(of, apis, { metrics })).replicas).toBe(replicas));

const statuses: readonly (readonly [what: string, apis: Apis, metric: object, current: object, reason: string])[] = [
  [
    ...(["pods", responding(ofPod("a", "20"), ofPod("b", "15")), pods()] as const),
    { type: "Pods", pods: { metric, current: { averageValue: "17500m" } } },
    "pods metric queue above target",
  ],
  [
    ...(["an object", responding(amount("25")), object()] as const),
    { type: "Object", object: { metric, describedObject: service, current: { value: "25" } } },
    "Service metric queue above target",
  ],
  [
    ...(["an object's average", responding(amount("41")), object(average("10"))] as const),
    { type: "Object", object: { metric, describedObject: service, current: { averageValue: "20500m" } } },
    "external metric queue(nil) above target",
  ],
  [
    ...(["the outside", responding(amount("25")), external(exactly("10"), { selector })] as const),
    { type: "External", external: { metric: { ...metric, selector }, current: { value: "25" } } },
    "external metric queue(&LabelSelector{MatchLabels:map[string]string{app: a,tier: b,},MatchExpressions:[]LabelSelectorRequirement{},}) above target",
  ],
  [
    ...(["the outside by pod", responding(amount("41")), external(average("10"))] as const),
    { type: "External", external: { metric, current: { averageValue: "20500m" } } },
    "external metric queue(nil) above target",
  ],
];
for (const [what, apis, spec, current, reason] of statuses)
  test(`autoscaler: the status of a metric of ${what}, and the reason`, async () => {
    const outcome = await look([a, b], apis, { metrics: [spec] });
    expect(outcome.status.currentMetrics).toEqual([current]);
    expect(outcome.reason).toBe(reason);
    expect(outcome.warnings).toEqual([]);
  });

const queries: readonly (readonly [what: string, spec: object, query: MetricQuery])[] = [
  [
    ...(["pods", { ...pods(), pods: { ...pods().pods, metric: { ...metric, selector } } }] as const),
    {
      ...{ namespace: "default", metric: "queue", metricSelector: "app=a,tier=b" },
      described: { resource: "pods", labelSelector: "app=web" },
    },
  ],
  [
    ...(["a Service", object()] as const),
    {
      ...{ namespace: "default", metric: "queue", metricSelector: "" },
      described: { resource: "services", name: "web" },
    },
  ],
  [
    ...(["a Deployment", object(undefined, { apiVersion: "apps/v1", kind: "Deployment", name: "web" })] as const),
    {
      ...{ namespace: "default", metric: "queue", metricSelector: "" },
      described: { resource: "deployments.apps", name: "web" },
    },
  ],
  [
    ...(["a Namespace, its own whatever its name", object(undefined, { kind: "Namespace", name: "other" })] as const),
    { namespace: "default", metric: "queue", metricSelector: "", described: { resource: "namespaces" } },
  ],
  [
    ...(["the outside", external(undefined, { selector })] as const),
    { namespace: "default", metric: "queue", metricSelector: "app=a,tier=b" },
  ],
];
for (const [what, spec, query] of queries)
  test(`autoscaler: the query for a metric of ${what}`, async () => {
    const sent: MetricQuery[] = [];
    await look(
      [a],
      { values: async (q) => [sent.push(q) > 0 && amount("1")].filter((v) => v !== false) },
      {
        metrics: [spec],
      },
    );
    expect(sent).toEqual([query]);
  });

const refusing: Apis = { values: () => Promise.reject(new ApiError("NotFound", "the server could not find it")) };
const unfetched = (api: string, why: string): string => `unable to fetch metrics from ${api} metrics API: ${why}`;
const unregistered = (api: string): string =>
  unfetched(api, `no ${api} metrics API (${api}.metrics.k8s.io) registered`);
const failures: readonly (readonly [
  what: string,
  of: readonly Pod[],
  apis: Apis,
  spec: object,
  why: string,
  all: string,
])[] = [
  [
    ...(["pods, no API", [a], {}, pods()] as const),
    `unable to get metric queue: ${unregistered("custom")}`,
    "failed to get pods metric value: ",
  ],
  [
    ...(["pods, no values", [a], responding(), pods()] as const),
    "unable to get metric queue: no metrics returned from custom metrics API",
    "failed to get pods metric value: ",
  ],
  [
    ...(["pods, values of others", [a], responding(ofPod("c", "1")), pods()] as const),
    "did not receive metrics for targeted pods (pods might be unready)",
    "failed to get pods metric value: ",
  ],
  [
    ...(["an object, not found", [a], refusing, object()] as const),
    `unable to get metric queue: Service on default web/${unfetched("custom", "the server could not find it")}`,
    "failed to get object metric value: ",
  ],
  [
    ...([
      "an object of no kind",
      [a],
      refusing,
      object(average("1"), { apiVersion: "a.io/v1", kind: "Toy", name: "t" }),
    ] as const),
    `unable to get metric queue: Toy on default t/${unfetched("custom", 'unable to map kind Toy.a.io to resource: no matches for kind "Toy" in group "a.io"')}`,
    "failed to get object metric value: failed to get queue object metric: ",
  ],
  [
    ...(["the outside, no API", [a], {}, external()] as const),
    `unable to get external metric default/queue/nil: ${unregistered("external")}`,
    "failed to get queue external metric value: failed to get external metric queue: ",
  ],
  [
    ...([
      "the outside, not found",
      [a],
      refusing,
      external(average("1"), { selector: { matchExpressions: [{ key: "k", operator: "In", values: ["x", "y"] }] } }),
    ] as const),
    `unable to get external metric default/queue/&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}: ${unfetched("external", "the server could not find it")}`,
    "failed to get queue external metric value: failed to get queue external metric: ",
  ],
];
for (const [what, of, apis, spec, why, all] of failures)
  test(`autoscaler: a metric of ${what}: unchanged, a condition and two events`, async () => {
    const { replicas, status, warnings } = await look(of, apis, { metrics: [spec] });
    const reason = `FailedGet${(spec as { readonly type: string }).type}Metric`;
    expect(replicas).toBe(of.length);
    expect(warnings).toEqual([
      [reason, why],
      ["FailedComputeMetricsReplicas", `invalid metrics (1 invalid out of 1), first error is: ${all}${why}`],
    ]);
    expect(status.conditions?.find((c) => c.type === "ScalingActive")).toMatchObject({
      ...{ status: "False", reason, message: `the HPA was unable to compute the replica count: ${why}` },
    });
    expect(status.currentMetrics).toEqual([{ type: "" }]);
  });

const some: Apis = {
  values: async ({ described }) => {
    if (!described) throw new ApiError("NotFound", "gone");
    return [ofPod("a", "5"), ofPod("b", "5")];
  },
};
test.each([
  ["may not shrink", "10", 2, "False"],
  ["may grow", "2", 5, "True"],
])("autoscaler: while one of two metrics is missing, the scale %s", async (_, target, size, active) => {
  const { replicas, status, warnings } = await look([a, b], some, { metrics: [external(), pods(average(target))] });
  expect(replicas).toBe(size);
  expect(warnings[0]).toEqual(["FailedGetExternalMetric", expect.stringContaining("gone")]);
  expect(status.currentMetrics?.map((m) => m.type)).toEqual(["", "Pods"]);
  expect(status.conditions?.find((c) => c.type === "ScalingActive")?.status).toBe(active);
});

test.each([
  ["above", 3, { maxReplicas: 2 }, 2, "Current number of replicas above Spec.MaxReplicas"],
  ["below", 1, { minReplicas: 2 }, 2, "Current number of replicas below Spec.MinReplicas"],
])("autoscaler: a size %s the range is corrected without metrics", async (_, size, range, replicas, reason) => {
  const outcome = await look([a, b, pod("c")].slice(0, size), {}, { ...range, metrics: [pods()] });
  expect(outcome).toMatchObject({ replicas, reason, warnings: [] });
  expect(outcome.status.conditions).toMatchObject([
    { type: "AbleToScale", status: "True", reason: "SucceededRescale" },
  ]);
});
