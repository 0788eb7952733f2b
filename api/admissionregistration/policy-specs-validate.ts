// What policies in CEL and their bindings share: parameters by kind or by name, and variables.
import type { Problem } from "../errors.ts";
import type { MutatingAdmissionPolicySpec, ParamKind, ParamRef, Variable } from "../generated/types.ts";
import { validateDns1035Label, validateSubdomainName } from "../names.ts";
import { detailOf, forbidden, invalid, required } from "../problems.ts";
import type { Rules } from "../validation.ts";
import { matchRules } from "./match-rules-validate.ts";

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

const validateParamKind = (kind: ParamKind, path: string): readonly Problem[] => [
  ...validateVersion(kind.apiVersion, `${path}.apiVersion`),
  ...validateKind(kind.kind, `${path}.kind`),
];

/** One parameter by name, or all that a selector picks; and what follows when there is none. */
function validateParamRef({ name, selector }: ParamRef, path: string): readonly Problem[] {
  const exclusive = "name and selector are mutually exclusive";
  return [
    ...(name && selector ? [forbidden(`${path}.name`, exclusive)] : []),
    ...(name && selector ? [forbidden(`${path}.selector`, exclusive)] : []),
    ...(name || selector ? [] : [required(path, "one of name or selector must be specified")]),
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
/** Rules of the types that policies and their bindings share. */
export const policyRules: Rules = {
  ...matchRules,
  ParamKind: validateParamKind,
  ParamRef: validateParamRef,
  Variable: validateVariable,
};

/** A policy looks at something. */
export const validateOccasion = ({
  matchConstraints: match,
}: Pick<MutatingAdmissionPolicySpec, "matchConstraints">): readonly Problem[] =>
  match && !match.resourceRules?.length ? [required("spec.matchConstraints.resourceRules")] : [];
