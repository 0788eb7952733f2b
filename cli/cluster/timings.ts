// Intervals and grace periods of a cluster on one machine, where heartbeats are cheap and a person is waiting. They are
// shorter than the defaults of Kubernetes.

export const localTimings = {
  /** How often a node renews its lease. Kubernetes: 10 s. */
  leaseMs: 1_000,
  /** How often a node checks its own status. Kubernetes: 10 s. */
  statusCheckMs: 5_000,
  /** How long a lease may be overdue before the node is unreachable. Kubernetes: 50 s. */
  nodeGraceMs: 5_000,
  /** How long a pod tolerates an unreachable or not ready node by default. Kubernetes: 300 s. */
  tolerationSeconds: 2,
  /** How often autoscalers measure. Kubernetes: 15 s. */
  autoscalerPeriodMs: 5_000,
  /** The default stabilization window for scaling down. Kubernetes: 300 s. */
  shrinkWindowSeconds: 30,
  /** From one run of the descheduler to the next. Kubernetes' descheduler: 5 min. */
  rebalancePeriodMs: 60_000,
  /**
   * Leader election: another control plane takes over when the lease expires. Kubernetes: 15 s, 10 s and 2 s. A leader
   * that renews late loses the lease, but does no harm, since its writes are fenced.
   */
  election: { leaseDurationMs: 2_000, renewDeadlineMs: 1_500, retryPeriodMs: 500 },
};

/** Times of the cluster autoscaler, in milliseconds. */
export const clusterAutoscalerTimings = {
  /** The longest time between two looks at the cluster. Kubernetes: 10 s. */
  scanMs: 2_000,
  /** How long a node must be unneeded before it is removed. Kubernetes: 10 min. */
  unneededMs: 15_000,
  /** The same for a node that is not ready. Kubernetes: 20 min. */
  unreadyMs: 60_000,
  /** No removal begins so soon after an addition. Kubernetes: 10 min. */
  delayAfterAddMs: 15_000,
  /** The pause after a failure. Kubernetes: 3 min. */
  delayAfterFailureMs: 10_000,
  /** A new node that is not ready after this time has failed. Kubernetes: 15 min. */
  provisionMs: 60_000,
  /** From the mark of a node to the first eviction. Kubernetes: 5 s. */
  taintDelayMs: 1_000,
  /** A drain that takes longer is aborted. Kubernetes: 10 min. */
  drainMs: 120_000,
};
