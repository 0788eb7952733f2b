// Validation that kinds with a pod template and a selector share.
import type { LabelSelector, PodTemplateSpec, ReplicaSet } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { DraftMeta } from "../meta.ts";
import { forbidden, invalid, together, unsupported } from "../problems.ts";
import { selects } from "../selector.ts";

interface Workload {
  readonly metadata: DraftMeta;
  readonly spec: {
    readonly replicas?: number;
    readonly selector?: LabelSelector;
    readonly template?: PodTemplateSpec;
    readonly minReadySeconds?: number;
  };
}

const isEmpty = (s: LabelSelector): boolean =>
  Object.keys(s.matchLabels ?? {}).length + (s.matchExpressions?.length ?? 0) === 0;

/** Pods of a workload that keeps running must match its selector and restart always. */
export function validateRunningTemplate(
  template: PodTemplateSpec,
  selector: LabelSelector,
  kind: string,
): readonly Problem[] {
  const { metadata, spec } = template;
  const path = "spec.template";
  return together(
    !isEmpty(selector) &&
      !selects(selector, metadata?.labels) &&
      invalid(`${path}.metadata.labels`, metadata?.labels ?? {}, "`selector` does not match template `labels`"),
    spec?.restartPolicy !== undefined &&
      spec.restartPolicy !== "Always" &&
      unsupported(`${path}.spec.restartPolicy`, spec.restartPolicy, ["Always"]),
    spec?.activeDeadlineSeconds !== undefined &&
      forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`),
  );
}

/**
 * Validates a selector and a template; `kind` is the name of the workload in messages. A template and a selector that
 * are identical to the old ones are not validated again.
 */
export function validateWorkload({ spec }: Workload, kind: string, old?: Workload): readonly Problem[] {
  const { selector, template } = spec;
  const isKnown = template === old?.spec.template && selector === old?.spec.selector;
  // Kubernetes' message names a deployment also for replica sets.
  const name = kind === "ReplicaSet" ? "deployment" : kind.toLowerCase();
  return together(
    selector && isEmpty(selector) && invalid("spec.selector", selector, `empty selector is invalid for ${name}`),
    template && !isKnown && validateRunningTemplate(template, selector ?? {}, kind),
  );
}

type Counts = { readonly collisionCount?: number };

/** The collision count only grows. */
export const validateCollisions = (status: Counts | undefined, old: Counts | undefined): readonly Problem[] => {
  const count = status?.collisionCount;
  return old?.collisionCount !== undefined && (count ?? -1) < old.collisionCount
    ? [invalid("status.collisionCount", count ?? 0, "cannot be decremented")]
    : [];
};

/** No count exceeds the replicas, and those available do not exceed those ready, which messages call `ready`. */
export function validateReplicaCounts(
  fields: readonly string[],
  status: object | undefined = {},
  ready = "readyReplicas",
): readonly Problem[] {
  const counts = status as Readonly<Record<string, number | undefined>>;
  const notAbove = (field: string, total: string, called: string): readonly Problem[] =>
    (counts[field] ?? 0) > (counts[total] ?? 0)
      ? [invalid(`status.${field}`, counts[field], `cannot be greater than ${called}`)]
      : [];
  return together(
    fields.flatMap((field) => notAbove(field, "replicas", "status.replicas")),
    notAbove("availableReplicas", "readyReplicas", ready),
  );
}

/** Validates the counts of a replica set or replication controller. */
export const validateReplicaStatus = ({ status }: Pick<ReplicaSet, "status">): readonly Problem[] =>
  validateReplicaCounts(["fullyLabeledReplicas", "readyReplicas", "availableReplicas"], status);
