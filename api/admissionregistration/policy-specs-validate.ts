// What policies in CEL and their bindings share: parameters by kind or by name, and variables.
import type { Problem } from "../errors.ts";
import type { MutatingAdmissionPolicySpec, ParamKind, ParamRef, Variable } from "../generated/types.ts";
import { validatePathSegment, validateDns1035Label, validateSubdomainName } from "../names.ts";
import { detailOf, forbidden, invalid, oneOf, required, unsupported } from "../problems.ts";
import { failurePolicies, validateConditions, validateMatch } from "./match-rules-validate.ts";
import { validateLabelSelector } from "../selector-validate.ts";

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
/** Words of CEL itself. */
const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

function validateVersion(text: string | undefined, path: string): readonly Problem[] {
  if (!text) return [required(path)];
  const [version = "", group = "", ...rest] = text.split("/").toReversed();
  if (rest.length > 0) return [invalid(path, text, `unexpected GroupVersion string: ${text}`)];
  return [
    ...validateSubdomainName(group, path),
    ...(version === "" ? [invalid(path, text, "version must be specified")] : validateDns1035Label(version, path)),
  ];
}

/** A kind may be written with capitals, and is otherwise a label. */
function validateKind(kind: string | undefined, path: string): readonly Problem[] {
  if (!kind) return [required(path)];
  return validateDns1035Label(kind.toLowerCase(), path).map((p) =>
    invalid(path, kind, `may have mixed case, but should otherwise match: ${detailOf(p)}`),
  );
}

const validateParamKind = (kind: ParamKind | undefined, path: string): readonly Problem[] =>
  kind ? [...validateVersion(kind.apiVersion, `${path}.apiVersion`), ...validateKind(kind.kind, `${path}.kind`)] : [];

/** One parameter by name, or all that a selector picks; and what follows when there is none. */
export function validateParamRef(ref: ParamRef | undefined, path: string): readonly Problem[] {
  if (!ref) return [];
  const { name, selector, parameterNotFoundAction: otherwise } = ref;
  const exclusive = "name and selector are mutually exclusive";
  return [
    ...validatePathSegment(name ?? "", `${path}.name`),
    ...(name && selector ? [forbidden(`${path}.name`, exclusive)] : []),
    ...validateLabelSelector(selector, `${path}.selector`),
    ...(name && selector ? [forbidden(`${path}.selector`, exclusive)] : []),
    ...(name || selector ? [] : [required(path, "one of name or selector must be specified")]),
    ...(otherwise
      ? ["Deny", "Allow"].includes(otherwise)
        ? []
        : [unsupported(`${path}.parameterNotFoundAction`, otherwise, ["Deny", "Allow"])]
      : [required(`${path}.parameterNotFoundAction`)]),
  ];
}

function validateVariable({ name = "", expression = "" }: Variable, path: string): readonly Problem[] {
  const isNamed = name.trim() !== "";
  const isIdentifier = identifier.test(name) && !reserved.has(name);
  return [
    ...(isNamed ? [] : [required(`${path}.name`, "name is not specified")]),
    ...(isNamed && !isIdentifier ? [invalid(`${path}.name`, name, "name is not a valid CEL identifier")] : []),
    ...(expression.trim() === "" ? [required(`${path}.expression`, "expression is not specified")] : []),
  ];
}
const validateVariables = (variables: readonly Variable[] | undefined, path: string): readonly Problem[] =>
  (variables ?? []).flatMap((v, i) => validateVariable(v, `${path}[${i}]`));

/** The policy a binding is for. */
export const validatePolicyName = (name: string | undefined, path: string): readonly Problem[] =>
  name ? validateSubdomainName(name, path) : [required(path)];

/** What every policy says of when it applies, and of what its expressions may speak of. */
type Occasion = Pick<
  MutatingAdmissionPolicySpec,
  "failurePolicy" | "paramKind" | "matchConstraints" | "matchConditions" | "variables"
>;

/** What is wrong with when a policy applies. */
export function validateOccasion({ matchConstraints: match, ...spec }: Occasion): readonly Problem[] {
  return [
    ...oneOf(spec.failurePolicy, "spec.failurePolicy", failurePolicies),
    ...validateParamKind(spec.paramKind, "spec.paramKind"),
    ...(match ? validateMatch(match, "spec.matchConstraints") : [required("spec.matchConstraints")]),
    ...(match && !match.resourceRules?.length ? [required("spec.matchConstraints.resourceRules")] : []),
    ...validateConditions(spec.matchConditions, "spec.matchConditions"),
    ...validateVariables(spec.variables, "spec.variables"),
  ];
}
