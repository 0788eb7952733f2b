// What can be wrong with a job, and what may still change in one.
import type { Job, JobSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { Draft, DraftMeta } from "../meta.ts";
import { validateDomainPath, validateLabelName } from "../names.ts";
import { invalid, required, together, tooLong, unchanged, unsupported } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { selects } from "../selector.ts";
import { validateFailurePolicy } from "./jobs-failure-policy.ts";
import { validateSuccessPolicy } from "./jobs-success-policy.ts";
import { validateTemplateChange } from "./jobs-template-change.ts";

const mostAtOnce = 100_000;
const manyCompletions = 100_000;
const mostOfMany = 10_000;

/** The label a job finds its pods by. */
export const selectingLabel = "batch.kubernetes.io/controller-uid";

/** What a job writes on its pods; the names without a domain are from before they had one. */
export const generatedLabels = ({ name, uid }: DraftMeta & { readonly uid?: string }): Record<string, string> => ({
  [selectingLabel]: uid ?? "",
  "batch.kubernetes.io/job-name": name ?? "",
  "controller-uid": uid ?? "",
  "job-name": name ?? "",
});

function validateIndexed(spec: JobSpec, path: string): readonly Problem[] {
  const { completions, parallelism = 1, maxFailedIndexes: failed, backoffLimitPerIndex } = spec;
  const many = completions !== undefined && completions > manyCompletions && backoffLimitPerIndex !== undefined;
  const ofMany = `must be less than or equal to ${mostOfMany} when completions are above ${manyCompletions} and used with backoff limit per index`;
  return together(
    completions === undefined && required(`${path}.completions`, "when completion mode is Indexed"),
    parallelism > mostAtOnce &&
      invalid(
        `${path}.parallelism`,
        parallelism,
        `must be less than or equal to ${mostAtOnce} when completion mode is Indexed`,
      ),
    completions !== undefined &&
      failed !== undefined &&
      failed > completions &&
      invalid(`${path}.maxFailedIndexes`, failed, "must be less than or equal to completions"),
    failed !== undefined &&
      failed > mostAtOnce &&
      invalid(`${path}.maxFailedIndexes`, failed, `must be less than or equal to ${mostAtOnce}`),
    many &&
      failed === undefined &&
      required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyCompletions}`),
    many && parallelism > mostOfMany && invalid(`${path}.parallelism`, parallelism, ofMany),
    many && failed !== undefined && failed > mostOfMany && invalid(`${path}.maxFailedIndexes`, failed, ofMany),
  );
}

function validateMode(spec: JobSpec, path: string): readonly Problem[] {
  const mode = spec.completionMode ?? "NonIndexed";
  if (mode === "Indexed") return validateIndexed(spec, path);
  if (mode !== "NonIndexed") return [];
  return together(
    (["backoffLimitPerIndex", "maxFailedIndexes"] as const).flatMap((field) =>
      spec[field] === undefined ? [] : [invalid(`${path}.${field}`, spec[field], "requires indexed completion mode")],
    ),
    spec.successPolicy && invalid(`${path}.successPolicy`, spec.successPolicy, "requires indexed completion mode"),
  );
}

function validateManager(manager: string | undefined, path: string): readonly Problem[] {
  if (manager === undefined) return [];
  if (manager === "") return [required(path)];
  return together(validateDomainPath(manager, path), manager.length > 63 && tooLong(path, 63));
}

function validateReplacement(
  { podReplacementPolicy: policy, podFailurePolicy }: JobSpec,
  path: string,
): readonly Problem[] {
  const possible = podFailurePolicy ? ["Failed"] : valuesOf("io.k8s.api.batch.v1.JobSpec", "podReplacementPolicy");
  return policy === undefined || possible.includes(policy)
    ? []
    : [unsupported(`${path}.podReplacementPolicy`, policy, possible)];
}

/** The pods of a job must be able to end. */
function validateRestarts({ template, podFailurePolicy }: JobSpec, path: string): readonly Problem[] {
  const policy = template?.spec?.restartPolicy;
  const at = `${path}.template.spec.restartPolicy`;
  if (policy === undefined || policy === "Always") return [required(at, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [unsupported(at, policy, ["OnFailure", "Never"])];
  return podFailurePolicy && policy !== "Never"
    ? [invalid(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    : [];
}

/** What is wrong with the spec of a job, made or yet to be made. */
export function validateJobSpec(spec: JobSpec, path: string): readonly Problem[] {
  return together(
    spec.maxFailedIndexes !== undefined &&
      spec.backoffLimitPerIndex === undefined &&
      required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"),
    validateManager(spec.managedBy, `${path}.managedBy`),
    validateMode(spec, path),
    spec.podFailurePolicy && validateFailurePolicy(spec, `${path}.podFailurePolicy`),
    spec.successPolicy && spec.completionMode === "Indexed" && validateSuccessPolicy(spec, `${path}.successPolicy`),
    validateReplacement(spec, path),
    validateRestarts(spec, path),
  );
}

/** The labels that were to be generated must be what was generated. */
function validateGenerated({ metadata, spec }: Draft<Job>): readonly Problem[] {
  if (spec.manualSelector === true || !spec.selector) return [];
  const expected = generatedLabels(metadata);
  const labels = spec.template?.metadata?.labels;
  return together(
    Object.entries(expected).flatMap(([key, value]) => {
      const actual = labels?.[key];
      const at = `spec.template.metadata.labels[${key}]`;
      if (actual === undefined) return [required(at, `must be '${value}'`)];
      return actual === value ? [] : [invalid(at, labels, `must be '${value}'`)];
    }),
    !selects(spec.selector, expected) && invalid("spec.selector", spec.selector, "`selector` not auto-generated"),
  );
}

function validateHostnames({ metadata, spec }: Draft<Job>): readonly Problem[] {
  if (spec.completionMode !== "Indexed" || !spec.completions || spec.completions < 1) return [];
  const last = `${metadata.name}-${spec.completions - 1}`;
  return validateLabelName(last, "").length === 0
    ? []
    : [invalid("metadata.name", metadata.name, `will not able to create pod with invalid DNS label: ${last}`)];
}

/** Only a job whose pods are told apart may get more or fewer of them, all at once. */
function validateCompletions(spec: JobSpec, old: JobSpec): readonly Problem[] {
  if (spec.completionMode !== "Indexed")
    return unchanged(spec.completions ?? null, old.completions ?? null, "spec.completions");
  if (spec.completions === undefined || sameJson(spec.completions, old.completions)) return [];
  return spec.completions === spec.parallelism
    ? []
    : [invalid("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** What is wrong with a job. */
export function validateJob(job: Draft<Job>, old?: Job): readonly Problem[] {
  const { spec } = job;
  const fixed = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;
  return together(
    !old && validateGenerated(job),
    validateJobSpec(spec, "spec"),
    !spec.selector && required("spec.selector"),
    spec.selector &&
      !selects(spec.selector, spec.template?.metadata?.labels) &&
      invalid(
        "spec.template.metadata.labels",
        spec.template?.metadata?.labels ?? {},
        "`selector` does not match template `labels`",
      ),
    old
      ? [
          ...validateCompletions(spec, old.spec),
          ...unchanged(spec.selector, old.spec.selector, "spec.selector"),
          ...validateTemplateChange(job, old),
          ...fixed.flatMap((field) => unchanged(spec[field] ?? null, old.spec[field] ?? null, `spec.${field}`)),
        ]
      : validateHostnames(job),
  );
}
