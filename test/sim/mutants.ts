// One-line wrong changes of the program, each with the rule by which the judge has to notice it.

import type { WorkloadName } from "./cluster.ts";

/** A source file in which `from`, which occurs once, is replaced by `to`. */
export interface Change {
  /** From the root of the repository. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}
export interface Mutant extends Change {
  /** The name of the rule that is broken, or `unsettled`: the cluster does not reach its desired state. */
  readonly breaks: string;
  /** What there is in its lives; as in any other unless given. */
  readonly workloads?: readonly WorkloadName[];
  /** Three controller managers whose leader is paused and cut off. */
  readonly elections?: true;
  /** A second change, which provokes what the first does not prevent any more. */
  readonly and?: Change;
}

export const mutants: readonly Mutant[] = [
  {
    file: "scheduler/scheduling-cycle.ts",
    from: "cache.assume(pod, nodeName);",
    to: "",
    breaks: "node over-committed",
  },
  {
    file: "apiserver/registry/strategies/table.ts",
    from: "if (pod.spec.nodeName) throw conflict(",
    to: "if (!pod) throw conflict(",
    and: {
      file: "scheduler/plugins/default.ts",
      from: '"binding");',
      to: '"binding"); await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName: "node-1" }, metadata: { ...pod.metadata, resourceVersion: "0" } }, "binding");',
    },
    breaks: "bound twice",
  },
  {
    file: "machinery/lease-lock.ts",
    from: "if (known.validMs() > 0) return false",
    to: "if (known.validMs() < 0) return false",
    breaks: "two leaders",
  },
  {
    file: "apiserver/registry/fencing.ts",
    from: "if (!term) return storage.commit(",
    to: "if (!term || alongside) return storage.commit(",
    breaks: "write of a deposed leader",
    elections: true,
  },
  {
    file: "apiserver/registry/fencing.ts",
    from: "...alongside, { key, expect: lease.modified });",
    to: "...alongside);",
    breaks: "write of a deposed leader",
    elections: true,
  },
  {
    file: "machinery/lease-lock.ts",
    from: "changedAt + leaseDurationSeconds * 1000 - now()",
    to: "changedAt + leaseDurationSeconds * 10_000 - now()",
    breaks: "no leader",
    elections: true,
  },
  {
    file: "controllers/replicaset/decide.ts",
    from: "Math.max(0, desired - live.length)",
    to: "Math.max(0, desired + 1 - live.length)",
    breaks: "too many pods",
  },
  {
    file: "controllers/deployment/decide.ts",
    from: "return grown.length > 0 ? grown : shrinkOld(",
    to: "return grown.length > 99 ? grown : shrinkOld(",
    breaks: "unsettled",
  },
  {
    file: "controllers/deployment/rollout.ts",
    from: "Math.min(desired + surge - current - others,",
    to: "Math.min(desired + surge + 1 - current - others,",
    breaks: "rollout out of bounds",
  },
  {
    file: "controllers/statefulset/decide.ts",
    from: '{ do: "delete", resource: pods, object: pod },',
    to: '{ do: "delete", resource: pods, object: pod, options: { gracePeriodSeconds: 0 } },',
    breaks: "two live pods of a name",
    workloads: ["statefulsets"],
  },
  {
    file: "controllers/statefulset/decide.ts",
    from: "if (isOrdered && waitOf(set, pod, now) > 0)",
    to: "if (!isOrdered && waitOf(set, pod, now) > 0)",
    breaks: "started out of order",
    workloads: ["statefulsets"],
  },
  {
    file: "controllers/statefulset/decide.ts",
    from: "toSorted((a, b) => b.ordinal - a.ordinal)",
    to: "toSorted((a, b) => a.ordinal - b.ordinal)",
    breaks: "stopped out of order",
    workloads: ["statefulsets"],
  },
  {
    file: "controllers/statefulset/claims.ts",
    from: 'if (whenScaled === "Delete" &&',
    to: 'if (whenScaled === "Retain" &&',
    breaks: "unsettled",
    workloads: ["statefulsets"],
  },
  {
    file: "controllers/daemonset/decide.ts",
    from: "if (place.runs && pods.length === 0)",
    to: "if (place.runs && !pods.some(isReady))",
    breaks: "too many daemons on a node",
    workloads: ["daemonsets"],
  },
  {
    file: "controllers/daemonset/rollout.ts",
    from: "if (!isUp) unavailable++;",
    to: "if (only && !isUp) unavailable++;",
    breaks: "daemon rollout out of bounds",
    workloads: ["daemonsets"],
  },
  {
    file: "machinery/revision-history.ts",
    from: "if (same && same === newest)",
    to: "if (same)",
    breaks: "unsettled",
    workloads: ["daemonsets"],
  },
  {
    file: "controllers/job/status.ts",
    from: "+ untrackedIn(succeeded, tracked)",
    to: "+ 2 * untrackedIn(succeeded, tracked)",
    breaks: "job counted wrongly",
    workloads: ["jobs"],
  },
  {
    file: "controllers/job/status.ts",
    from: "else uids[note].add(uid);",
    to: "else uids[note].delete(uid);",
    breaks: "end of a job's pod lost",
    workloads: ["jobs"],
  },
  {
    file: "controllers/job/manage.ts",
    from: "Math.min(parallelism, completions - succeeded)",
    to: "Math.min(completions, completions - succeeded)",
    breaks: "too many pods of a job",
    workloads: ["jobs"],
  },
  {
    file: "controllers/job/orphan.ts",
    from: 'if (job === "none") return { actions: [untrack(pod)],',
    to: 'if (job === "none") return { actions: [],',
    breaks: "unsettled",
    workloads: ["jobs"],
  },
  {
    file: "controllers/cronjob/decide.ts",
    from: "|| active.length === 0)",
    to: "|| active.length >= 0)",
    breaks: "cron job overlaps",
    workloads: ["cronjobs"],
  },
  {
    file: "controllers/cronjob/missed.ts",
    from: "instantOf(status?.lastScheduleTime ?? metadata.creationTimestamp)",
    to: "instantOf(status ? metadata.creationTimestamp : metadata.creationTimestamp)",
    and: {
      file: "controllers/cronjob/decide.ts",
      from: "instantOf(lastScheduleTime) === time)",
      to: "instantOf(lastScheduleTime) === 0)",
    },
    breaks: "scheduled time started twice",
    workloads: ["cronjobs"],
  },
  {
    file: "api/core/quota/charge.ts",
    from: "nanoOf(next[name]) > nanoOf(hard[name])",
    to: "nanoOf(used[name]) > nanoOf(hard[name])",
    breaks: "quota exceeded",
    workloads: ["quotas"],
  },
  {
    file: "apiserver/admission/quotas.ts",
    from: 'operations: ["CREATE", "UPDATE", "DELETE"],',
    to: 'operations: ["CREATE", "UPDATE"],',
    breaks: "quota counted wrongly",
    workloads: ["quotas"],
  },
  {
    file: "controllers/disruption/controller.ts",
    from: "Math.max(0, healthy - desired)",
    to: "Math.max(0, healthy + 1 - desired)",
    breaks: "eviction beyond the budget",
    workloads: ["budgets"],
  },
  {
    file: "apiserver/registry/eviction.ts",
    from: "spent(current as PodDisruptionBudget,",
    to: "spent({ ...budget, metadata: current.metadata },",
    breaks: "eviction beyond the budget",
    workloads: ["budgets"],
  },
  {
    file: "controllers/autoscaler/replicas.ts",
    from: "const replicas = Math.min(range.max, Math.max(range.min, furthest));",
    to: "const replicas = Math.max(range.min, furthest);",
    breaks: "autoscaler out of bounds",
    workloads: ["autoscalers"],
  },
  {
    file: "controllers/autoscaler/replicas.ts",
    from: "const start = current - recent.reduce((sum, c) => sum + c.by, 0);",
    to: "const start = current;",
    breaks: "autoscaler faster than its policies",
    workloads: ["autoscalers"],
  },
  {
    file: "controllers/autoscaler/replicas.ts",
    from: "within(down.stabilizationWindowSeconds ?? 300)",
    to: "within(0)",
    breaks: "autoscaler shrinks too soon",
    workloads: ["autoscalers"],
  },
  {
    file: "controllers/autoscaler/replicas.ts",
    from: "Math.ceil(ratio * measured.length)",
    to: "Math.ceil(ratio * ratio * measured.length)",
    breaks: "autoscaler flaps",
    workloads: ["autoscalers"],
  },
  {
    file: "controllers/autoscaler/decide.ts",
    from: "...(replicas === current ? {} : { lastScaleTime: timestamp(now) }),",
    to: "lastScaleTime: timestamp(now),",
    breaks: "hot loop",
    workloads: ["autoscalers"],
  },
  {
    file: "controllers/garbage/graph.ts",
    from: 'if (of("solid").length > 0)',
    to: 'if (of("solid").length > 1)',
    breaks: "child of a live owner deleted",
    workloads: ["owners"],
  },
  {
    file: "controllers/garbage/controller.ts",
    from: "await release(d, ownersWithout(d.object, metadata.uid));",
    to: "await release(d, d.object.metadata.ownerReferences ?? []);",
    breaks: "orphaned child deleted",
    workloads: ["owners"],
  },
  {
    file: "controllers/garbage/controller.ts",
    from: "return [...dependents(), ...graph.ownersOf(o)];",
    to: "return graph.ownersOf(o);",
    breaks: "orphan left",
    workloads: ["owners"],
  },
  {
    file: "controllers/endpointslice/controller.ts",
    from: "selectorOf, pod, before).map(keyOf)",
    to: "selectorOf, pod, undefined).map(keyOf)",
    breaks: "unsettled",
    workloads: ["services"],
  },
  {
    file: "controllers/nodelifecycle/decide.ts",
    from: "reason && !allLost && (",
    to: "reason && (",
    breaks: "evicted while all nodes are lost",
  },
  {
    file: "controllers/clusterautoscaler/scale-up.ts",
    from: "Math.max(0, maxNodes - provided.length)",
    to: "Math.max(0, maxNodes + 1 - provided.length)",
    breaks: "more nodes than allowed",
    workloads: ["nodes"],
  },
  {
    file: "controllers/clusterautoscaler/scale-down.ts",
    from: "if (homeless)",
    to: "if (homeless === null)",
    and: {
      file: "controllers/clusterautoscaler/scale-up.ts",
      from: "fill(onLeaving, unplaced(here)",
      to: "fill(onLeaving.slice(9), unplaced(here)",
    },
    breaks: "node added after one was removed",
    workloads: ["nodes"],
  },
  {
    file: "controllers/clusterautoscaler/removal.ts",
    from: "if (awaited.length > 0) return",
    to: "if (awaited.length > 99) return",
    and: {
      file: "controllers/clusterautoscaler/controller.ts",
      from: "if (remaining.length > 0) return",
      to: "if (remaining.length > 99) return",
    },
    breaks: "node removed with pods on it",
    workloads: ["nodes"],
  },
  {
    file: "scheduler/plugins/volumes/binding.ts",
    from: "const unbound = current.filter((claim) => !isFullyBound(claim));",
    to: "const unbound = current.filter((claim) => !isFullyBound(claim) && claim.spec.volumeName);",
    breaks: "pod scheduled before its claims are bound",
    workloads: ["statefulsets"],
  },
  {
    file: "controllers/csi/reclaim.ts",
    from: 'if (phase !== "Released") return settled;',
    to: 'if (phase === "Available") return settled;',
    breaks: "volume deleted while bound",
    workloads: ["statefulsets"],
  },
  {
    file: "api/core/volume-matching.ts",
    from: "(volume) => !volume.spec.claimRef && isAvailable(volume, claim)",
    to: "(volume) => classNameOf(volume) === classNameOf(claim)",
    breaks: "volume bound to two claims",
    workloads: ["claims"],
  },
  {
    file: "controllers/csi/new-volume.ts",
    from: "`pvc-${metadata.uid}`",
    to: "`pvc-${metadata.uid}-${metadata.resourceVersion}`",
    and: {
      file: "controllers/volumes/volume.ts",
      from: "if (claim.spec.volumeName === volume.metadata.name) return",
      to: "if (claim.spec.volumeName !== undefined) return",
    },
    breaks: "claim bound to two volumes",
    workloads: ["claims"],
  },
  {
    file: "controllers/csi/reclaim.ts",
    from: 'if (volume.spec.persistentVolumeReclaimPolicy !== "Delete") {',
    to: 'if (volume.spec.persistentVolumeReclaimPolicy === "Recycle") {',
    breaks: "retained volume deleted",
    workloads: ["claims"],
  },
  {
    file: "scheduler/plugins/volumes/node-plan.ts",
    from: "if (!isReachableFrom(volume, labels)) return unreachable;",
    to: "",
    breaks: "pod out of reach of its volume",
    workloads: ["claims"],
  },
];
