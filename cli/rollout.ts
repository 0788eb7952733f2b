// The progress of a deployment's rollout, and its revisions. Pure.
import type { Deployment, PodTemplateSpec, ReplicaSet } from "../api/generated/types.ts";
import { conditionOf } from "../api/core/pod/status.ts";

const revisionAnnotation = "deployment.kubernetes.io/revision";
const changeCause = "kubernetes.io/change-cause";

export interface RolloutProgress {
  readonly state: "done" | "waiting" | "failed";
  readonly message: string;
}

/** The progress, with the messages of `kubectl rollout status`. */
export function progressOf(d: Deployment): RolloutProgress {
  const name = d.metadata.name;
  const { observedGeneration = 0, updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = d.status ?? {};
  const desired = d.spec.replicas ?? 1;
  if (observedGeneration < (d.metadata.generation ?? 0))
    return { state: "waiting", message: "Waiting for deployment spec update to be observed..." };
  if (conditionOf(d.status?.conditions, "Progressing")?.reason === "ProgressDeadlineExceeded")
    return { state: "failed", message: `deployment "${name}" exceeded its progress deadline` };
  const waiting = (what: string): RolloutProgress => ({
    state: "waiting",
    message: `Waiting for deployment "${name}" rollout to finish: ${what}...`,
  });
  if (updatedReplicas < desired) return waiting(`${updatedReplicas} out of ${desired} new replicas have been updated`);
  if (replicas > updatedReplicas) return waiting(`${replicas - updatedReplicas} old replicas are pending termination`);
  if (availableReplicas < updatedReplicas)
    return waiting(`${availableReplicas} of ${updatedReplicas} updated replicas are available`);
  return { state: "done", message: `deployment "${name}" successfully rolled out` };
}

export interface Revision {
  readonly number: number;
  readonly cause: string;
  readonly template: PodTemplateSpec;
}

/** The revisions of a deployment's replica sets, oldest first. */
export const revisionsOf = (sets: readonly ReplicaSet[]): readonly Revision[] =>
  sets
    .map((s) => ({
      number: Number(s.metadata.annotations?.[revisionAnnotation] ?? 0),
      cause: s.metadata.annotations?.[changeCause] ?? "<none>",
      template: s.spec.template!,
    }))
    .toSorted((a, b) => a.number - b.number);

/** The template of a revision without the `pod-template-hash` label of its replica set. */
export function templateOf({ template }: Revision): PodTemplateSpec {
  const { "pod-template-hash": _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
