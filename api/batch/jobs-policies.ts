// Validation of a job's pod failure policy and success policy. Source: KEP-3329 and KEP-3998.
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
  SuccessPolicyRule,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { duplicate, each, invalid, required, together, unfit } from "../problems.ts";
import { countIndexes } from "./jobs-indexes.ts";

const unknownContainer = "must be one of the container or initContainer names in the pod template";

function validateExitCodes(
  { operator, containerName, values = [] }: PodFailurePolicyOnExitCodesRequirement,
  names: readonly string[],
  path: string,
): readonly Problem[] {
  const isKnown = containerName === undefined || names.includes(containerName);
  const isOrdered = values.every((value, i) => i === 0 || values[i - 1]! <= value);
  return together(
    !isKnown && invalid(`${path}.containerName`, containerName, unknownContainer),
    values.length === 0 && invalid(`${path}.values`, values, "at least one value is required"),
    each(values, `${path}.values`, (value, at, i) =>
      together(
        operator === "In" && value === 0 && invalid(at, value, "must not be 0 for the In operator"),
        values.indexOf(value) < i && duplicate(at, value),
      ),
    ),
    !isOrdered && invalid(`${path}.values`, values, "must be ordered"),
  );
}

function validateFailureRule(spec: JobSpec, rule: PodFailurePolicyRule, path: string): readonly Problem[] {
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = [...containers, ...initContainers].map((c) => c.name);
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const hasConditions = onPodConditions.length > 0;
  const noLimit = action === "FailIndex" && spec.backoffLimitPerIndex === undefined;
  return together(
    noLimit && invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set"),
    onExitCodes && validateExitCodes(onExitCodes, names, `${path}.onExitCodes`),
    onExitCodes && hasConditions && unfit(path, "specifying both OnExitCodes and OnPodConditions is not supported"),
    !onExitCodes && !hasConditions && unfit(path, "specifying one of OnExitCodes and OnPodConditions is required"),
  );
}

/** Validates the rules for failed pods. */
export const validateFailurePolicy = (spec: JobSpec, path: string): readonly Problem[] =>
  each(spec.podFailurePolicy?.rules, `${path}.rules`, (rule, at) => validateFailureRule(spec, rule, at));

function validateSuccessRule(rule: SuccessPolicyRule, completions: number, path: string): readonly Problem[] {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined)
    return [required(path, "at least one of succeededCount or succeededIndexes must be specified")];
  const indexCount = countIndexes(indexes ?? "", completions);
  const notAbove = (most: number, what: string): Problem | false =>
    count !== undefined &&
    count > most &&
    invalid(`${path}.succeededCount`, count, `must be less than or equal to ${most} (the number of ${what})`);
  return together(
    typeof indexCount === "string" &&
      invalid(`${path}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${indexCount}`),
    notAbove(completions, "specified completions"),
    indexes !== undefined &&
      typeof indexCount === "number" &&
      notAbove(indexCount, "indexes in the specified succeededIndexes field"),
  );
}

/** Validates the rules by which a job succeeds before all its pods have. */
export function validateSuccessPolicy(spec: JobSpec, path: string): readonly Problem[] {
  const rules = spec.successPolicy?.rules ?? [];
  return rules.length === 0
    ? [required(`${path}.rules`, "at least one rules must be specified when the successPolicy is specified")]
    : each(rules, `${path}.rules`, (rule, at) => validateSuccessRule(rule, spec.completions ?? 0, at));
}
