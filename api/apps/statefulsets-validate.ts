// Validation of stateful sets: update strategy, claims as volumes, and fields that cannot change.
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, together } from "../problems.ts";
import { podRules } from "../core/pod/rules.ts";
import { schemaOf, valuesOf } from "../schema.ts";
import { problemsAt } from "../validation.ts";
import { numberIn } from "../int-or-percent.ts";
import { validateCollisions, validateReplicaCounts, validateWorkload } from "../core/workload-validate.ts";

function validateStrategy(s: StatefulSetUpdateStrategy): readonly Problem[] {
  const path = "spec.updateStrategy";
  const rolling = s.rollingUpdate;
  if (s.type === "OnDelete")
    return rolling
      ? [invalid(`${path}.rollingUpdate`, rolling, "only allowed for updateStrategy 'RollingUpdate'")]
      : [];
  if (s.type !== "RollingUpdate") return [invalid(path, s, "must be 'RollingUpdate' or 'OnDelete'")];
  const most = rolling?.maxUnavailable;
  return most !== undefined && numberIn(most) === 0
    ? [invalid(`${path}.rollingUpdate.maxUnavailable`, most, "cannot be 0")]
    : [];
}

const templateSchema = schemaOf("io.k8s.api.core.v1.PodTemplateSpec");

/** Fields that an update may change. */
const mutable = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;
const fixed = (spec: StatefulSetSpec): object =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !mutable.some((m) => m === field)));

/** The spec with a volume for each claim template, so that mounts of claims validate. */
function withClaimsAsVolumes(spec: StatefulSetSpec): StatefulSetSpec {
  const claims = (spec.volumeClaimTemplates ?? []).flatMap(({ metadata }) => metadata?.name ?? []);
  const pod = spec.template?.spec;
  if (claims.length === 0 || !pod) return spec;
  const own = (pod.volumes ?? []).filter((v) => !claims.includes(v.name));
  const volumes = [...own, ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))];
  return { ...spec, template: { ...spec.template, spec: { ...pod, volumes } } };
}

/** Validates a stateful set. */
export function validateStatefulSet(set: Draft<StatefulSet>, old?: StatefulSet): readonly Problem[] {
  const { spec } = set;
  return together(
    !valuesOf("io.k8s.api.apps.v1.StatefulSetSpec", "podManagementPolicy").includes(spec.podManagementPolicy ?? "") &&
      invalid("spec.podManagementPolicy", spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'"),
    validateStrategy(spec.updateStrategy ?? {}),
    problemsAt("spec.template", templateSchema, withClaimsAsVolumes(spec).template, undefined, podRules),
    validateWorkload(set, "StatefulSet"),
    old &&
      !sameJson(fixed(spec), fixed(old.spec)) &&
      forbidden(
        "spec",
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
  );
}

/** Validates the counts of a status. */
export const validateStatefulSetStatus = ({ status }: StatefulSet, old: StatefulSet): readonly Problem[] =>
  together(
    validateCollisions(status, old.status),
    validateReplicaCounts(
      ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
      status,
      "status.readyReplicas",
    ),
  );
