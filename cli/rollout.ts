// How far a deployment's rollout is, in words, and what its revisions were. Pure.
import type { Deployment, PodTemplateSpec, ReplicaSet } from "../api/generated/types.ts";
import { conditionOf } from "../api/core/pod/status.ts";

const revisionAnnotation = "deployment.kubernetes.io/revision";
const changeCause = "kubernetes.io/change-cause";

export type Progress =
  | { readonly state: "done"; readonly message: string }
  | { readonly state: "waiting"; readonly message: string }
  | { readonly state: "failed"; readonly message: string };

/** In the words of `kubectl rollout status`, which scripts wait for. */
export function progressOf(d: Deployment): Progress {
  const name = d.metadata.name;
  const { observedGeneration = 0, updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = d.status ?? {};
  const want = d.spec.replicas ?? 1;
  if (observedGeneration < (d.metadata.generation ?? 0))
    return { state: "waiting", message: "Waiting for deployment spec update to be observed..." };
  if (conditionOf(d.status?.conditions, "Progressing")?.reason === "ProgressDeadlineExceeded")
    return { state: "failed", message: `deployment "${name}" exceeded its progress deadline` };
  const waiting = (what: string): Progress => ({
    state: "waiting",
    message: `Waiting for deployment "${name}" rollout to finish: ${what}...`,
  });
  if (updatedReplicas < want) return waiting(`${updatedReplicas} out of ${want} new replicas have been updated`);
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

/** Oldest first. */
export const revisionsOf = (sets: readonly ReplicaSet[]): readonly Revision[] =>
  sets
    .map((s) => ({
      number: Number(s.metadata.annotations?.[revisionAnnotation] ?? 0),
      cause: s.metadata.annotations?.[changeCause] ?? "<none>",
      template: s.spec.template!,
    }))
    .toSorted((a, b) => a.number - b.number);

/** The template of a revision without the label that told its replica set from the others. */
export function templateOf({ template }: Revision): PodTemplateSpec {
  const { "pod-template-hash": _, ...labels } = template.metadata?.labels ?? {};
  return { ...template, metadata: { ...template.metadata, labels } };
}
