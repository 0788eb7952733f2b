// What can be wrong with a job's rules of what it means when a pod fails.
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { duplicate, each, invalid, together, unfit } from "../problems.ts";

function validateCodes(
  r: PodFailurePolicyOnExitCodesRequirement,
  names: readonly string[],
  path: string,
): readonly Problem[] {
  const { operator, containerName, values = [] } = r;
  const ordered = values.every((value, i) => i === 0 || values[i - 1]! <= value);
  return together(
    containerName !== undefined &&
      !names.includes(containerName) &&
      invalid(
        `${path}.containerName`,
        containerName,
        "must be one of the container or initContainer names in the pod template",
      ),
    values.length === 0 && invalid(`${path}.values`, values, "at least one value is required"),
    each(values, `${path}.values`, (value, at, i) =>
      together(
        operator === "In" && value === 0 && invalid(at, value, "must not be 0 for the In operator"),
        values.indexOf(value) < i && duplicate(at, value),
      ),
    ),
    !ordered && invalid(`${path}.values`, values, "must be ordered"),
  );
}

function validateRule(spec: JobSpec, rule: PodFailurePolicyRule, path: string): readonly Problem[] {
  const names = [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])];
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const conditions = onPodConditions.length > 0;
  return together(
    action === "FailIndex" &&
      spec.backoffLimitPerIndex === undefined &&
      invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set"),
    onExitCodes &&
      validateCodes(
        onExitCodes,
        names.map((c) => c.name),
        `${path}.onExitCodes`,
      ),
    onExitCodes && conditions && unfit(path, "specifying both OnExitCodes and OnPodConditions is not supported"),
    !onExitCodes && !conditions && unfit(path, "specifying one of OnExitCodes and OnPodConditions is required"),
  );
}

/** What is wrong with the rules for failed pods. */
export const validateFailurePolicy = (spec: JobSpec, path: string): readonly Problem[] =>
  each(spec.podFailurePolicy?.rules, `${path}.rules`, (rule, at) => validateRule(spec, rule, at));
