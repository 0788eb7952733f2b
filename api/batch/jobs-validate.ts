// Validation of jobs: completion modes, policies, the generated selector, and fields that cannot change.
import type { Job, JobSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft, DraftMeta } from "../meta.ts";
import { validateDomainPath, validateLabelName } from "../names.ts";
import { invalid, oneOf, required, together, tooLong, unchanged, unsupported } from "../problems.ts";
import { valuesOf } from "../schema.ts";
import { selects } from "../selector.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./jobs-policies.ts";
import { validateTemplateChange } from "./jobs-template-update.ts";

const maxParallelism = 100_000;
const manyCompletions = 100_000;
const maxOfMany = 10_000;

/** The label a job finds its pods by. */
export const selectingLabel = "batch.kubernetes.io/controller-uid";

/** The labels a job sets on its pods; those without a domain are the older form. */
export const generatedLabels = ({ name, uid }: DraftMeta & { readonly uid?: string }): Record<string, string> => ({
  [selectingLabel]: uid ?? "",
  "batch.kubernetes.io/job-name": name ?? "",
  "controller-uid": uid ?? "",
  "job-name": name ?? "",
});

function validateIndexed(spec: JobSpec, path: string): readonly Problem[] {
  const { completions, parallelism = 1, maxFailedIndexes: failed = 0, backoffLimitPerIndex } = spec;
  const isMany = completions !== undefined && completions > manyCompletions && backoffLimitPerIndex !== undefined;
  const lacksLimit = isMany && spec.maxFailedIndexes === undefined;
  const atMost = (field: string, value: number, most: number | string, when = ""): Problem =>
    invalid(`${path}.${field}`, value, `must be less than or equal to ${most}${when}`);
  const ofMany = ` when completions are above ${manyCompletions} and used with backoff limit per index`;
  return together(
    completions === undefined && required(`${path}.completions`, "when completion mode is Indexed"),
    parallelism > maxParallelism &&
      atMost("parallelism", parallelism, maxParallelism, " when completion mode is Indexed"),
    completions !== undefined &&
      spec.maxFailedIndexes !== undefined &&
      failed > completions &&
      atMost("maxFailedIndexes", failed, "completions"),
    failed > maxParallelism && atMost("maxFailedIndexes", failed, maxParallelism),
    lacksLimit &&
      required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyCompletions}`),
    isMany && parallelism > maxOfMany && atMost("parallelism", parallelism, maxOfMany, ofMany),
    isMany && failed > maxOfMany && atMost("maxFailedIndexes", failed, maxOfMany, ofMany),
  );
}

function validateMode(spec: JobSpec, path: string): readonly Problem[] {
  const mode = spec.completionMode ?? "NonIndexed";
  if (mode === "Indexed") return validateIndexed(spec, path);
  if (mode !== "NonIndexed") return [];
  return (["backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"] as const)
    .filter((field) => spec[field] !== undefined)
    .map((field) => invalid(`${path}.${field}`, spec[field], "requires indexed completion mode"));
}

function validateManager(manager: string | undefined, path: string): readonly Problem[] {
  if (manager === undefined) return [];
  if (manager === "") return [required(path)];
  return together(validateDomainPath(manager, path), manager.length > 63 && tooLong(path, 63));
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

/** Validates the spec of a job, or of a template of jobs. */
export function validateJobSpec(spec: JobSpec, path: string): readonly Problem[] {
  const lacksLimit = spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined;
  const replacements = valuesOf("io.k8s.api.batch.v1.JobSpec", "podReplacementPolicy");
  return together(
    lacksLimit && required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"),
    validateManager(spec.managedBy, `${path}.managedBy`),
    validateMode(spec, path),
    spec.podFailurePolicy && validateFailurePolicy(spec, `${path}.podFailurePolicy`),
    spec.successPolicy && spec.completionMode === "Indexed" && validateSuccessPolicy(spec, `${path}.successPolicy`),
    oneOf(spec.podReplacementPolicy, `${path}.podReplacementPolicy`, spec.podFailurePolicy ? ["Failed"] : replacements),
    validateRestarts(spec, path),
  );
}

/** Unless the selector is manual, it and the template's labels are those that were generated. */
function validateGenerated({ metadata, spec }: Draft<Job>): readonly Problem[] {
  if (spec.manualSelector === true || !spec.selector) return [];
  const expected = generatedLabels(metadata);
  const labels = spec.template?.metadata?.labels;
  return together(
    Object.entries(expected).flatMap(([key, value]) => {
      const at = `spec.template.metadata.labels[${key}]`;
      if (labels?.[key] === undefined) return [required(at, `must be '${value}'`)];
      return labels[key] === value ? [] : [invalid(at, labels, `must be '${value}'`)];
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

/** Only the completions of an indexed job can change, together with its parallelism. */
function validateCompletions(spec: JobSpec, old: JobSpec): readonly Problem[] {
  const { completions, parallelism } = spec;
  if (spec.completionMode !== "Indexed")
    return unchanged(completions ?? null, old.completions ?? null, "spec.completions");
  if (completions === undefined || completions === old.completions || completions === parallelism) return [];
  return [invalid("spec.completions", completions, "can only be modified in tandem with spec.parallelism")];
}

const fixed = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] as const;

const validateUpdate = (job: Draft<Job>, old: Job): readonly Problem[] =>
  together(
    validateCompletions(job.spec, old.spec),
    unchanged(job.spec.selector, old.spec.selector, "spec.selector"),
    validateTemplateChange(job, old),
    fixed.flatMap((field) => unchanged(job.spec[field] ?? null, old.spec[field] ?? null, `spec.${field}`)),
  );

/** Validates a job; with `old`, also what changed. */
export function validateJob(job: Draft<Job>, old?: Job): readonly Problem[] {
  const { selector, template } = job.spec;
  const labels = template?.metadata?.labels;
  return together(
    !old && validateGenerated(job),
    validateJobSpec(job.spec, "spec"),
    !selector && required("spec.selector"),
    selector &&
      !selects(selector, labels) &&
      invalid("spec.template.metadata.labels", labels ?? {}, "`selector` does not match template `labels`"),
    old ? validateUpdate(job, old) : validateHostnames(job),
  );
}
