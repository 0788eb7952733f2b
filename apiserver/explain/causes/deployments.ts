// Why a deployment is not available or its rollout does not end: by its replica sets and their pods.
import { deployments } from "../../../api/apps/deployments.ts";
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { conditionOf } from "../../../api/core/pod/status.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { Deployment, ReplicaSet } from "../../../api/generated/types.ts";
import { asDesired, command, type Finding, type Found, progressing, referenceTo, waiting } from "../finding.ts";
import type { Reader } from "../reader.ts";
import { causeRule } from "../rule.ts";
import { deletionFinding, findingWith, isUnseen, unseen } from "./replicated.ts";

export interface DeploymentObservation {
  /** Replica sets with pods, the newest first. */
  readonly sets: readonly Found<ReplicaSet>[];
}

const revisionOf = ({ metadata }: ReplicaSet): number =>
  Number(metadata.annotations?.["deployment.kubernetes.io/revision"] ?? 0);

async function observe(deployment: Deployment, reader: Reader): Promise<DeploymentObservation> {
  if (isComplete(deployment)) return { sets: [] };
  const { items } = await reader.related(replicaSets, "controller", deployment.metadata.uid);
  const live = items
    .filter(({ spec, status }) => (spec.replicas ?? 0) > 0 || (status?.replicas ?? 0) > 0)
    .toSorted((a, b) => revisionOf(b) - revisionOf(a));
  return { sets: await Promise.all(live.map(async (object) => ({ object, finding: await reader.find(object) }))) };
}

const isComplete = (deployment: Deployment): boolean => {
  const { spec, status = {}, metadata } = deployment;
  const desired = spec.replicas ?? 1;
  return (
    metadata.deletionTimestamp === undefined &&
    !isUnseen(deployment, status) &&
    (status.updatedReplicas ?? 0) === desired &&
    (status.availableReplicas ?? 0) === desired &&
    (status.replicas ?? 0) === desired
  );
};

export function decideDeployment(deployment: Deployment, { sets }: DeploymentObservation): Finding {
  const { spec, status = {}, metadata } = deployment;
  const deletion = deletionFinding(deployment);
  if (deletion) return deletion;
  const desired = spec.replicas ?? 1;
  if (isComplete(deployment))
    return asDesired(
      desired === 0 ? "is scaled to zero" : `all ${desired} pods are of the last revision and available`,
    );
  if (isUnseen(deployment, status) && sets.length === 0) return unseen();
  const [newest, ...older] = sets;
  const isRollout = older.length > 0;
  // Pods of older revisions are on their way out; they matter where the new ones give no cause.
  const ofNewest = newest ? [newest].filter(({ finding }) => finding.causes.length > 0) : [];
  const relevant = ofNewest.length > 0 ? ofNewest : older;
  const causes: readonly Cause[] = relevant
    .filter(({ finding }) => finding.causes.length > 0)
    .map(({ object, finding }) => ({
      ...{ reason: "ReplicaSetNotReady", message: finding.message },
      object: referenceTo(object),
      causes: finding.causes,
    }));
  const progress = conditionOf(status.conditions, "Progressing");
  const isStuck =
    progress?.reason === "ProgressDeadlineExceeded" ? "; the rollout has made no progress for too long" : "";
  const ready = `${status.readyReplicas ?? 0} of ${desired} pods are ready`;
  const rollout = isRollout ? `, ${status.updatedReplicas ?? 0} of the new revision` : "";
  const message = `${ready}${rollout}${isStuck}`;
  if (causes.length > 0) return findingWith(message, causes, relevant);
  if (spec.paused === true)
    return waiting(`${message}; it is paused`, {
      reason: "DeploymentPaused",
      message: "the deployment is paused, so changes of its template are not rolled out",
      next: command(`rollout resume deployment/${metadata.name}`, metadata.namespace),
    });
  return progressing(message);
}

export const deploymentRule = causeRule({
  kind: deployments,
  observe,
  decide: decideDeployment,
  isAsDesired: isComplete,
});
