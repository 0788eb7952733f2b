import { expect, test } from "vitest";
import type { Pod } from "../../../api/generated/types.ts";
import type { PodMetrics } from "../../../api/metrics/metrics.ts";
import { instant, timestamp } from "../../../api/meta.ts";
import { limit, type ScalingHistory } from "../../../controllers/autoscaler/replicas.ts";
import { autoscaler, look, noHistory } from "./autoscaling.ts";
import { now, pod } from "./world.ts";

const asking = (name: string, more: object = {}): Pod =>
  pod(name, {
    spec: { containers: [{ name: "c", resources: { requests: { cpu: "100m", memory: "100Mi" } } }] },
    ...more,
  });
const using = (name: string, cpu: string): PodMetrics =>
  ({
    ...{ metadata: { name }, timestamp: timestamp(now), window: "10s" },
    containers: [{ name: "c", usage: { cpu, memory: "50Mi" } }],
  }) as unknown as PodMetrics;
const history = noHistory;

const [a, b] = [asking("a"), asking("b")];
const table: readonly (readonly [
  what: string,
  pods: readonly Pod[],
  metrics: readonly PodMetrics[],
  spec: object,
  replicas: number,
])[] = [
  ["usage on target: unchanged", [a, b], [using("a", "50m"), using("b", "50m")], {}, 2],
  ["within the tolerance of a tenth: unchanged", [a, b], [using("a", "55m"), using("b", "55m")], {}, 2],
  [
    "within the tolerance of a behavior: unchanged",
    [a, b],
    [using("a", "70m"), using("b", "70m")],
    { behavior: { scaleUp: { tolerance: "500m" } } },
    2,
  ],
  [
    "beyond the tolerance of a behavior: one more",
    [a, b],
    [using("a", "52m"), using("b", "52m")],
    { behavior: { scaleUp: { tolerance: "10m" } } },
    3,
  ],
  ["twice the usage doubles the replicas", [a, b], [using("a", "100m"), using("b", "100m")], {}, 4],
  ["half the usage halves the replicas", [a, b], [using("a", "25m"), using("b", "25m")], {}, 1],
  ["at most maxReplicas", [a, b], [using("a", "1"), using("b", "1")], { maxReplicas: 3 }, 3],
  ["at least minReplicas", [a, b], [using("a", "1m"), using("b", "1m")], { minReplicas: 2 }, 2],
  [
    "an unready pod counts as idle on scale-up",
    [a, asking("b", { ready: false })],
    [using("a", "100m"), using("b", "900m")],
    {},
    2,
  ],
  [
    "a pod that starts counts once it was ready for a full window of samples",
    [a, asking("b", { readySeconds: 9 })],
    [using("a", "100m"), using("b", "900m")],
    {},
    2,
  ],
  [
    "from then on its usage counts",
    [a, asking("b", { readySeconds: 10 })],
    [using("a", "100m"), using("b", "900m")],
    {},
    6,
  ],
  [
    "a pod that was ready and is not any more counts after the initialization of CPU",
    [a, asking("b", { ready: false, startedSeconds: 301, readySeconds: 5 })],
    [using("a", "100m"), using("b", "900m")],
    {},
    6,
  ],
  [
    "a pod that was never ready does not",
    [a, asking("b", { ready: false, startedSeconds: 301, readySeconds: 290 })],
    [using("a", "100m"), using("b", "900m")],
    {},
    2,
  ],
  ["a pod without metrics counts as fully used on scale-down", [a, b], [using("a", "10m")], {}, 2],
  ["no metrics: unchanged", [a, b], [], {}, 2],
  [
    "a pod without metrics counts with its request on scale-down, whatever lower target there is",
    [a, b, asking("c")],
    [using("a", "10m"), using("b", "10m")],
    {},
    3,
  ],
  [
    "with a target beyond the request, a pod without metrics counts with the target",
    [a, b, asking("c"), asking("d")],
    [using("a", "10m"), using("b", "10m"), using("c", "10m")],
    {
      metrics: [
        { type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 200 } } },
      ],
    },
    2,
  ],
  ["utilization in whole percents", [a, b], [using("a", "55m"), using("b", "55900u")], {}, 2],
  [
    "a target of type AverageValue",
    [a, b],
    [using("a", "100m"), using("b", "100m")],
    {
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "AverageValue", averageValue: "40m" } } }],
    },
    5,
  ],
  [
    "the metric with the most replicas counts, within the scale-up limit",
    [a, b],
    [using("a", "50m"), using("b", "50m")],
    {
      metrics: [
        ...autoscaler().spec.metrics!,
        { type: "Resource", resource: { name: "memory", target: { type: "Utilization", averageUtilization: 10 } } },
      ],
    },
    6,
  ],
];
for (const [what, pods, metrics, spec, replicas] of table)
  test(`autoscaler: ${what}`, async () => expect((await look(pods, { usage: metrics }, spec)).replicas).toBe(replicas));

test("autoscaler: status has the current metrics, the event the reason", async () => {
  const { status, reason } = await look([a, b], { usage: [using("a", "100m"), using("b", "100m")] });
  expect(reason).toBe("cpu resource utilization (percentage of request) above target");
  expect(status.currentMetrics).toEqual([
    { type: "Resource", resource: { name: "cpu", current: { averageValue: "100m", averageUtilization: 100 } } },
  ]);
  expect(status.conditions?.map((c) => [c.type, c.status, c.reason])).toEqual([
    ["AbleToScale", "True", "SucceededRescale"],
    ["ScalingActive", "True", "ValidMetricFound"],
    ["ScalingLimited", "False", "DesiredWithinRange"],
  ]);
  const unmeasured = await look([a], {});
  expect(unmeasured.status.conditions).toMatchObject([
    { type: "AbleToScale", status: "True", reason: "SucceededGetScale" },
    { type: "ScalingActive", status: "False", reason: "FailedGetResourceMetric" },
  ]);
});

const before = (seconds: number): ReturnType<typeof instant> => instant(now - seconds * 1000);
const recommended = (seconds: number, replicas: number): ScalingHistory => ({
  ...history,
  recommendations: [{ at: before(seconds), replicas }],
});
const grown = (seconds: number): ScalingHistory => ({ ...history, changes: [{ at: before(seconds), by: 4 }] });
const policy = (type: string, value: number) => ({ type, value, periodSeconds: 60 });
const slowly = { scaleUp: { selectPolicy: "Min", policies: [policy("Pods", 2), policy("Percent", 100)] } };
const oneByOne = { scaleDown: { stabilizationWindowSeconds: 0, policies: [policy("Pods", 1)] } };
const steady = { scaleUp: { stabilizationWindowSeconds: 60, policies: [policy("Pods", 9)] } };
const limits: readonly (readonly [
  what: string,
  current: number,
  proposal: number,
  history: ScalingHistory,
  behavior: object | undefined,
  replicas: number,
  limited?: string | undefined,
  stabilized?: string,
])[] = [
  ["without a behavior scale-up at most doubles", 3, 30, history, undefined, 6, "ScaleUpLimit"],
  ["without a behavior scale-up reaches four at once", 1, 30, history, undefined, 4, "ScaleUpLimit"],
  ["without a behavior scale-ups are not counted", 8, 30, grown(5), undefined, 16, "ScaleUpLimit"],
  ["without a behavior: at most the maximum", 40, 60, history, undefined, 50, "TooManyReplicas"],
  ["without a behavior: at least the minimum", 3, 0, history, undefined, 1, "TooFewReplicas"],
  ["without a behavior: within the range", 3, 5, history, undefined, 5],
  ["a recent higher recommendation", 10, 2, recommended(100, 8), undefined, 8, undefined, "ScaleDownStabilized"],
  [
    "a recent one that is still too high",
    3,
    2,
    recommended(100, 9),
    undefined,
    6,
    "ScaleUpLimit",
    "ScaleDownStabilized",
  ],
  ["an old recommendation", 10, 2, recommended(301, 8), undefined, 2],
  ["scale-up at most doubles or adds four", 3, 30, history, {}, 7, "ScaleUpLimit"],
  ["scale-ups within the period count", 8, 30, grown(5), {}, 8, "ScaleUpLimit"],
  ["earlier scale-ups do not count", 8, 30, grown(20), {}, 16, "ScaleUpLimit"],
  ["a behavior: a recent recommendation", 10, 2, recommended(100, 8), {}, 8, undefined, "ScaleDownStabilized"],
  ["a behavior: an old recommendation", 10, 2, recommended(301, 8), {}, 2],
  ["scale-down can be disabled", 10, 2, history, { scaleDown: { selectPolicy: "Disabled" } }, 10, "ScaleDownLimit"],
  ["a policy limits scale-down", 10, 2, history, oneByOne, 9, "ScaleDownLimit"],
  ["selectPolicy Min", 10, 30, history, slowly, 12, "ScaleUpLimit"],
  ["a window of scale-up", 10, 30, recommended(30, 12), steady, 12, undefined, "ScaleUpStabilized"],
  ["a window of scale-up and a policy", 10, 30, recommended(30, 25), steady, 19, "ScaleUpLimit", "ScaleUpStabilized"],
  ["a behavior: at most the maximum", 45, 60, history, {}, 50, "TooManyReplicas"],
  ["a behavior: at least the minimum", 3, 0, history, {}, 1, "TooFewReplicas"],
];
for (const [what, current, proposal, history, behavior, replicas, limited, stabilized] of limits)
  test(`autoscaler limits: ${what}`, () => {
    const request = { current, proposal, range: { min: 1, max: 50 }, behavior, shrinkWindowSeconds: 300 };
    const reasons = { ...(limited && { limited }), ...(stabilized && { stabilized }) };
    expect(limit(request, history, now)).toEqual({ replicas, ...reasons });
  });

const containers = (requests: object | undefined) => ({
  spec: { containers: [{ name: "c", resources: { requests } }, { name: "sidecar" }] },
});
const busy = (name: string): PodMetrics =>
  ({
    metadata: { name },
    containers: [
      { name: "c", usage: { cpu: "100m" } },
      { name: "sidecar", usage: { cpu: "900m" } },
    ],
  }) as unknown as PodMetrics;
const ofContainer = (container: string) => ({
  ...{ type: "ContainerResource" },
  containerResource: { name: "cpu", container, target: { type: "Utilization", averageUtilization: 50 } },
});
const ofPod = autoscaler().spec.metrics![0]!;
test.each([
  ["of the container alone", [pod("a", containers({ cpu: "100m" }))], ofContainer("c"), 2, undefined],
  [
    "of the pod, before those of its containers",
    [pod("a", { spec: { ...containers(undefined).spec, resources: { requests: { cpu: "2" } } } })],
    ofPod,
    1,
    undefined,
  ],
  [
    "of one container missing",
    [pod("a", containers({ cpu: "1" }))],
    ofPod,
    1,
    "failed to get cpu utilization: missing request for cpu in container sidecar of Pod a",
  ],
  [
    "of the pod missing",
    [pod("a", { spec: { ...containers(undefined).spec, resources: { requests: { memory: "1" } } } })],
    ofPod,
    1,
    "failed to get cpu utilization: missing pod-level request for cpu in Pod a",
  ],
  [
    "of a container that has gone",
    [pod("a", containers({ cpu: "1" }))],
    ofContainer("other"),
    1,
    "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)",
  ],
  ["of no pods", [], ofPod, 0, undefined],
])("autoscaler: the request %s", async (_, pods, spec, replicas, why) => {
  const outcome = await look(pods, { usage: [busy("a")] }, { metrics: [spec] });
  expect(outcome.replicas).toBe(replicas);
  expect(outcome.warnings[0]?.[1]).toBe(why);
});

test("autoscaler: memory is shown in binary units", async () => {
  const metrics = [
    { type: "Resource", resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } } },
  ];
  const { status } = await look([a], { usage: [using("a", "1m")] }, { metrics });
  expect(status.currentMetrics?.[0]?.resource?.current).toEqual({ averageValue: "50Mi" });
});

test("the usage of one container is a current metric of its own", async () => {
  const containerResource = { name: "cpu", container: "c", target: { type: "Utilization", averageUtilization: 50 } };
  const metrics = [{ type: "ContainerResource", containerResource }];
  const { status } = await look([a], { usage: [using("a", "50m")] }, { metrics });
  expect(status.currentMetrics).toEqual([
    {
      type: "ContainerResource",
      containerResource: { name: "cpu", container: "c", current: { averageValue: "50m", averageUtilization: 50 } },
    },
  ]);
});
