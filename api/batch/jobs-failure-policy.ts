// What can be wrong with a job's rules of what it means when a pod fails.
import type {
  JobSpec,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { validateQualifiedName } from "../names.ts";
import { duplicate, invalid, required, tooMany, unfit, unsupported } from "../problems.ts";

const actions = ["Count", "FailIndex", "FailJob", "Ignore"];
const operators = ["In", "NotIn"];
const statuses = ["False", "True", "Unknown"];
const mostRules = 20;
const mostCodes = 255;
const mostPatterns = 20;

/** A word that has to be one of a few. */
function oneOf(value: string | undefined, values: readonly string[], path: string): readonly Problem[] {
  if (!value) return [required(path, `valid values: [${values.map((v) => JSON.stringify(v)).join(" ")}]`)];
  return values.includes(value) ? [] : [unsupported(path, value, values)];
}

function validateCodes(
  r: PodFailurePolicyOnExitCodesRequirement,
  names: readonly string[],
  path: string,
): readonly Problem[] {
  const { operator, containerName, values = [] } = r;
  const ordered = values.every((value, i) => i === 0 || values[i - 1]! <= value);
  return [
    ...oneOf(operator, operators, `${path}.operator`),
    ...(containerName === undefined || names.includes(containerName)
      ? []
      : [
          invalid(
            `${path}.containerName`,
            containerName,
            "must be one of the container or initContainer names in the pod template",
          ),
        ]),
    ...(values.length === 0 ? [invalid(`${path}.values`, values, "at least one value is required")] : []),
    ...(values.length > mostCodes ? [tooMany(`${path}.values`, values.length, mostCodes)] : []),
    ...values.flatMap((value, i) => [
      ...(operator === "In" && value === 0
        ? [invalid(`${path}.values[${i}]`, value, "must not be 0 for the In operator")]
        : []),
      ...(values.indexOf(value) < i ? [duplicate(`${path}.values[${i}]`, value)] : []),
    ]),
    ...(ordered ? [] : [invalid(`${path}.values`, values, "must be ordered")]),
  ];
}

const validatePatterns = (
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: string,
): readonly Problem[] => [
  ...(patterns.length > mostPatterns ? [tooMany(path, patterns.length, mostPatterns)] : []),
  ...patterns.flatMap(({ type, status }, i) => [
    ...validateQualifiedName(type, `${path}[${i}].type`),
    ...oneOf(status, statuses, `${path}[${i}].status`),
  ]),
];

function validateRule(spec: JobSpec, rule: PodFailurePolicyRule, path: string): readonly Problem[] {
  const names = [...(spec.template?.spec?.containers ?? []), ...(spec.template?.spec?.initContainers ?? [])];
  const { action, onExitCodes, onPodConditions = [] } = rule;
  const conditions = onPodConditions.length > 0;
  return [
    ...oneOf(action, actions, `${path}.action`),
    ...(action === "FailIndex" && spec.backoffLimitPerIndex === undefined
      ? [invalid(`${path}.action`, action, "requires the backoffLimitPerIndex to be set")]
      : []),
    ...(onExitCodes
      ? validateCodes(
          onExitCodes,
          names.map((c) => c.name),
          `${path}.onExitCodes`,
        )
      : []),
    ...validatePatterns(onPodConditions, `${path}.onPodConditions`),
    ...(onExitCodes && conditions
      ? [unfit(path, "specifying both OnExitCodes and OnPodConditions is not supported")]
      : []),
    ...(onExitCodes || conditions
      ? []
      : [unfit(path, "specifying one of OnExitCodes and OnPodConditions is required")]),
  ];
}

/** What is wrong with the rules for failed pods. */
export function validateFailurePolicy(spec: JobSpec, path: string): readonly Problem[] {
  const rules = spec.podFailurePolicy?.rules ?? [];
  return [
    ...(rules.length > mostRules ? [tooMany(`${path}.rules`, rules.length, mostRules)] : []),
    ...rules.flatMap((rule, i) => validateRule(spec, rule, `${path}.rules[${i}]`)),
  ];
}
