// What can be wrong with anything that makes pods from a template and finds them by a selector.
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

/** The pods of a workload that is to go on must be found by it, and must not end by themselves. */
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
 * `kind` is what the workload is called where it says what it does not support. A template and a selector that are
 * those of the old object have been judged with it.
 */
export function validateWorkload({ spec }: Workload, kind: string, old?: Workload): readonly Problem[] {
  const { selector, template } = spec;
  const isKnown = template === old?.spec.template && selector === old?.spec.selector;
  // Where no selector was said, Kubernetes speaks of a deployment also to replica sets.
  const called = kind === "ReplicaSet" ? "deployment" : kind.toLowerCase();
  return together(
    selector && isEmpty(selector) && invalid("spec.selector", selector, `empty selector is invalid for ${called}`),
    template && !isKnown && validateRunningTemplate(template, selector ?? {}, kind),
  );
}

type Counts<K extends string> = Readonly<Partial<Record<K, number>>> | undefined;
type Collisions = { readonly collisionCount?: number } | undefined;

/** The number of collisions never goes back. */
export const validateCollisions = (now: Collisions, then: Collisions): readonly Problem[] =>
  then?.collisionCount !== undefined && (now?.collisionCount ?? -1) < then.collisionCount
    ? [invalid("status.collisionCount", now?.collisionCount ?? 0, "cannot be decremented")]
    : [];

/** Parts of a number in a status are not more than the whole. */
export const validateNotAbove = <K extends string>(
  parts: readonly K[],
  status: Counts<K>,
  total: K,
  detail: string,
): readonly Problem[] =>
  parts.flatMap((part) =>
    (status?.[part] ?? 0) > (status?.[total] ?? 0) ? [invalid(`status.${part}`, status?.[part], detail)] : [],
  );

/** What is wrong with what a set of replicas is said to have come to. */
export function validateReplicaStatus({ status }: Pick<ReplicaSet, "status">): readonly Problem[] {
  const parts = ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"] as const;
  return together(
    validateNotAbove(parts, status, "replicas", "cannot be greater than status.replicas"),
    validateNotAbove(["availableReplicas"], status, "readyReplicas", "cannot be greater than readyReplicas"),
  );
}
