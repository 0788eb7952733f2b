// What can be wrong with a mutating policy.
import type { Problem } from "../errors.ts";
import type { MutatingAdmissionPolicy, Mutation } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { forbidden, required } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { policyRules, validateOccasion } from "./policy-specs-validate.ts";

/** Each sort of patch, and the field that tells it. */
const patches = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;

function validateMutation(mutation: Mutation, path: string): readonly Problem[] {
  const { patchType: type } = mutation;
  if (!Object.hasOwn(patches, type ?? "")) return [];
  const field = patches[type];
  const other = patches[type === "JSONPatch" ? "ApplyConfiguration" : "JSONPatch"];
  const patch = mutation[field];
  return [
    ...(patch === undefined
      ? [required(`${path}.${field}`, `must be specified when patchType is ${type}`)]
      : (patch.expression ?? "").trim() === ""
        ? [required(`${path}.${field}.expression`, "expression is not specified")]
        : []),
    ...(mutation[other] === undefined
      ? []
      : [forbidden(`${path}.${other}`, `must not be specified when patchType is ${type}`)]),
  ];
}

export const mutatingRules: Rules = { ...policyRules, Mutation: validateMutation };

export const validateMutatingPolicy = ({ spec }: Draft<MutatingAdmissionPolicy>): readonly Problem[] =>
  validateOccasion(spec);
