// How quickly a cluster notices and reacts. Kubernetes' defaults suit thousands of machines across data centres; these
// suit a few on one machine, where a heartbeat costs nothing and a person is watching.

export interface Timings {
  /** How often a node renews its lease. Kubernetes: 10 s. */
  readonly leaseMs: number;
  /** How often a node looks at itself and reports what changed. Kubernetes: 10 s. */
  readonly statusCheckMs: number;
  /** A lease not renewed for this long means the node is unreachable. Kubernetes: 50 s. */
  readonly nodeGraceMs: number;
  /** How long a pod stays on a node that is unreachable or not ready, unless it says otherwise. Kubernetes: 300 s. */
  readonly tolerationSeconds: number;
  /** How often autoscalers measure. Kubernetes: 15 s. */
  readonly autoscalerPeriodMs: number;
  /** How long a target keeps its size after its last high wish, unless it says otherwise. Kubernetes: 300 s. */
  readonly shrinkWindowSeconds: number;
}

export const localTimings: Timings = {
  leaseMs: 1_000,
  statusCheckMs: 5_000,
  nodeGraceMs: 5_000,
  tolerationSeconds: 2,
  autoscalerPeriodMs: 5_000,
  shrinkWindowSeconds: 30,
};
