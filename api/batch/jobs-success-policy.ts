// What can be wrong with a job's rules of when it has succeeded although not every pod has.
import type { JobSpec, SuccessPolicyRule } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { each, invalid, required, together } from "../problems.ts";
import { countIndexes } from "./jobs-indexes.ts";

function validateRule(rule: SuccessPolicyRule, completions: number, path: string): readonly Problem[] {
  const { succeededCount: count, succeededIndexes: indexes } = rule;
  if (count === undefined && indexes === undefined)
    return [required(path, "at least one of succeededCount or succeededIndexes must be specified")];
  const counted = countIndexes(indexes ?? "", completions);
  const at = `${path}.succeededCount`;
  return together(
    typeof counted === "string" &&
      invalid(`${path}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${counted}`),
    count !== undefined &&
      count > completions &&
      invalid(at, count, `must be less than or equal to ${completions} (the number of specified completions)`),
    count !== undefined &&
      indexes !== undefined &&
      typeof counted === "number" &&
      count > counted &&
      invalid(
        at,
        count,
        `must be less than or equal to ${counted} (the number of indexes in the specified succeededIndexes field)`,
      ),
  );
}

/** What is wrong with the rules for early success. */
export function validateSuccessPolicy(spec: JobSpec, path: string): readonly Problem[] {
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0)
    return [required(`${path}.rules`, "at least one rules must be specified when the successPolicy is specified")];
  return each(rules, `${path}.rules`, (rule, at) => validateRule(rule, spec.completions ?? 0, at));
}
