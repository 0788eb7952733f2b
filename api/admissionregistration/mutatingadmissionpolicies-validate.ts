// What can be wrong with a mutating policy, and with where it is bound.
import type { Problem } from "../errors.ts";
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, Mutation } from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateSubdomainName } from "../names.ts";
import { forbidden, oneOf, required, unsupported } from "../problems.ts";
import { validateMatch } from "./match-rules-validate.ts";
import { validateOccasion, validateParamRef, validatePolicyName } from "./policy-specs-validate.ts";

const reinvocations = ["IfNeeded", "Never"];
/** Each sort of patch, and the field that tells it. */
const patches = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;
type Patch = keyof typeof patches;

function validateMutation(mutation: Mutation, path: string): readonly Problem[] {
  const type = mutation.patchType as Patch;
  if (!type) return [required(`${path}.patchType`)];
  if (!Object.hasOwn(patches, type)) return [unsupported(`${path}.patchType`, type, Object.keys(patches))];
  const field = patches[type];
  const other = patches[type === "JSONPatch" ? "ApplyConfiguration" : "JSONPatch"];
  const said = mutation[field];
  return [
    ...(said === undefined
      ? [required(`${path}.${field}`, `must be specified when patchType is ${type}`)]
      : (said.expression ?? "").trim() === ""
        ? [required(`${path}.${field}.expression`, "expression is not specified")]
        : []),
    ...(mutation[other] === undefined
      ? []
      : [forbidden(`${path}.${other}`, `must not be specified when patchType is ${type}`)]),
  ];
}

export function validateMutatingPolicy({ metadata, spec }: Draft<MutatingAdmissionPolicy>): readonly Problem[] {
  const { mutations = [], reinvocationPolicy } = spec;
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...validateOccasion(spec),
    ...(mutations.length > 0 ? [] : [required("spec.mutations", "mutations must contain at least one item")]),
    ...mutations.flatMap((m, i) => validateMutation(m, `spec.mutations[${i}]`)),
    ...(reinvocationPolicy
      ? oneOf(reinvocationPolicy, "spec.reinvocationPolicy", reinvocations)
      : [required("spec.reinvocationPolicy")]),
  ];
}

export const validateMutatingBinding = ({
  metadata,
  spec,
}: Draft<MutatingAdmissionPolicyBinding>): readonly Problem[] => [
  ...validateSubdomainName(metadata.name, "metadata.name"),
  ...validatePolicyName(spec.policyName, "spec.policyName"),
  ...validateParamRef(spec.paramRef, "spec.paramRef"),
  // The field is misspelt there, and clients have seen it so.
  ...validateMatch(spec.matchResources, "spec.matchResouces"),
];
