// Facts that the published schemas of the autoscaling group lack.
import { count, type Facts, open, type Overlay, present, unchecked, values } from "../overlay.ts";

const named: Facts = { nonEmpty: true, format: "path-segment" };
const resource: Facts = { nonEmpty: "must specify a resource name" };
const atEighty = {
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
};

export const autoscalingV1Overlay: Overlay = {
  HorizontalPodAutoscalerSpec: { minReplicas: { default: 1 } },
};

export const autoscalingV2Overlay: Overlay = {
  ContainerResourceMetricSource: {
    container: { nonEmpty: "must specify a container", format: "k8s-short-name" },
    name: { ...resource, format: "container-resource" },
  },
  CrossVersionObjectReference: { kind: named, name: named },
  HorizontalPodAutoscaler: { status: present },
  HorizontalPodAutoscalerSpec: {
    maxReplicas: { bounds: [1, null, "must be greater than 0"] },
    metrics: { default: [atEighty], omitZero: true },
    minReplicas: { default: 1, bounds: [1] },
  },
  HorizontalPodAutoscalerStatus: {
    conditions: { keepEmpty: true },
    currentMetrics: { keepEmpty: true },
    currentReplicas: count,
    desiredReplicas: count,
  },
  HPAScalingPolicy: {
    type: values("Percent", "Pods"),
    value: { bounds: [1, null, "must be greater than zero"] },
    periodSeconds: { bounds: [1, 1800, "must be greater than zero", "must be less than or equal to 1800"] },
  },
  HPAScalingRules: {
    policies: { nonEmpty: "must specify at least one Policy" },
    selectPolicy: values("Disabled", "Max", "Min"),
    stabilizationWindowSeconds: {
      bounds: [0, 3600, "must be greater than or equal to zero", "must be less than or equal to 3600"],
    },
  },
  MetricIdentifier: {
    name: { nonEmpty: "must specify a metric name", format: "path-segment" },
    selector: unchecked,
  },
  MetricSpec: { type: open },
  MetricStatus: { type: open },
  MetricTarget: { averageUtilization: { bounds: [1, null, "must be greater than 0"] } },
  ResourceMetricSource: { name: resource },
};
