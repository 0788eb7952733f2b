// The progress of rollouts of deployments, daemon sets and stateful sets, with the messages of
// `kubectl rollout status`.
// Pure.
import { conditionOf } from "../api/core/pod/status.ts";
import type { DaemonSet, Deployment, StatefulSet } from "../api/generated/types.ts";

export interface RolloutProgress {
  readonly state: "done" | "waiting" | "failed";
  readonly message: string;
}
const done = (message: string): RolloutProgress => ({ state: "done", message });
const waiting = (message: string): RolloutProgress => ({ state: "waiting", message });
const failed = (message: string): RolloutProgress => ({ state: "failed", message });

/** The progress of a deployment. A revision other than the running one is not waited for. */
function deploymentProgress(d: Deployment, revision: number): RolloutProgress {
  const name = d.metadata.name;
  const running = Number(d.metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);
  if (revision > 0 && revision !== running)
    return failed(`desired revision (${revision}) is different from the running revision (${running})`);
  const { observedGeneration = 0, updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = d.status ?? {};
  const desired = d.spec.replicas ?? 1;
  if (observedGeneration < (d.metadata.generation ?? 0))
    return waiting("Waiting for deployment spec update to be observed...");
  if (conditionOf(d.status?.conditions, "Progressing")?.reason === "ProgressDeadlineExceeded")
    return failed(`deployment "${name}" exceeded its progress deadline`);
  const unfinished = (what: string): RolloutProgress =>
    waiting(`Waiting for deployment "${name}" rollout to finish: ${what}...`);
  if (updatedReplicas < desired)
    return unfinished(`${updatedReplicas} out of ${desired} new replicas have been updated`);
  if (replicas > updatedReplicas)
    return unfinished(`${replicas - updatedReplicas} old replicas are pending termination`);
  if (availableReplicas < updatedReplicas)
    return unfinished(`${availableReplicas} of ${updatedReplicas} updated replicas are available`);
  return done(`deployment "${name}" successfully rolled out`);
}

const noRollingUpdate = "rollout status is only available for RollingUpdate strategy type";

function daemonSetProgress(d: DaemonSet): RolloutProgress {
  if ((d.spec?.updateStrategy?.type ?? "RollingUpdate") !== "RollingUpdate") return failed(noRollingUpdate);
  const { observedGeneration = 0, updatedNumberScheduled = 0, numberAvailable = 0 } = d.status ?? {};
  const desired = d.status?.desiredNumberScheduled ?? 0;
  if (observedGeneration < (d.metadata.generation ?? 0))
    return waiting("Waiting for daemon set spec update to be observed...");
  const unfinished = (what: string): RolloutProgress =>
    waiting(`Waiting for daemon set "${d.metadata.name}" rollout to finish: ${what}...`);
  if (updatedNumberScheduled < desired)
    return unfinished(`${updatedNumberScheduled} out of ${desired} new pods have been updated`);
  if (numberAvailable < desired) return unfinished(`${numberAvailable} of ${desired} updated pods are available`);
  return done(`daemon set "${d.metadata.name}" successfully rolled out`);
}

function statefulSetProgress(s: StatefulSet): RolloutProgress {
  if ((s.spec?.updateStrategy?.type ?? "RollingUpdate") !== "RollingUpdate") return failed(noRollingUpdate);
  const { observedGeneration = 0, readyReplicas = 0, updatedReplicas = 0 } = s.status ?? {};
  const { currentReplicas = 0, currentRevision, updateRevision } = s.status ?? {};
  if (observedGeneration === 0 || observedGeneration < (s.metadata.generation ?? 0))
    return waiting("Waiting for statefulset spec update to be observed...");
  const desired = s.spec?.replicas ?? 1;
  if (readyReplicas < desired) return waiting(`Waiting for ${desired - readyReplicas} pods to be ready...`);
  const { partition } = s.spec?.updateStrategy?.rollingUpdate ?? {};
  if (partition !== undefined) {
    if (updatedReplicas < desired - partition)
      return waiting(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${desired - partition} new pods have been updated...`,
      );
    return done(`partitioned roll out complete: ${updatedReplicas} new pods have been updated...`);
  }
  if (updateRevision !== currentRevision)
    return waiting(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
    );
  return done(`statefulset rolling update complete ${currentReplicas} pods at revision ${currentRevision}...`);
}

/** The progress of a workload, or undefined for kinds without rollouts. */
export function progressOf(object: { readonly kind: string }, revision: number): RolloutProgress | undefined {
  switch (object.kind) {
    case "Deployment":
      return deploymentProgress(object as Deployment, revision);
    case "DaemonSet":
      return daemonSetProgress(object as DaemonSet);
    case "StatefulSet":
      return statefulSetProgress(object as StatefulSet);
    default:
      return undefined;
  }
}
