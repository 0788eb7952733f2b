// MutatingAdmissionPolicy and ValidatingAdmissionPolicy: changes and checks of requests, written in CEL. Source:
// KEP-3488, KEP-3962.
import type {
  AuditAnnotation,
  MutatingAdmissionPolicy,
  Mutation,
  ParamKind,
  ValidatingAdmissionPolicy,
  Validation,
  Variable,
} from "../generated/types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateDns1035Label, validateQualifiedName, validateSubdomainName } from "../names.ts";
import { each, forbidden, invalid, none, repeated, required, together } from "../problems.ts";
import { extension, matchRules, validateExpression } from "./match-rules.ts";

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
/** Reserved words of CEL. */
const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);
const mostAnnotations = 20;
const longestExpression = 5 * 1024;
const noExpression = "expression is not specified";

function validateParamKind({ apiVersion: text = "" }: ParamKind): readonly Problem[] {
  const path = "apiVersion";
  const [version = "", group = "", ...rest] = text.split("/").toReversed();
  if (text === "") return none;
  if (rest.length > 0) return [invalid(path, text, `unexpected GroupVersion string: ${text}`)];
  return together(
    validateSubdomainName(group, path),
    version === "" ? invalid(path, text, "version must be specified") : validateDns1035Label(version, path),
  );
}

function validateVariable({ name = "", expression }: Variable): readonly Problem[] {
  const isIdentifier = identifier.test(name) && !reserved.has(name);
  return together(
    name.trim() === ""
      ? required("name", "name is not specified")
      : !isIdentifier && invalid("name", name, "name is not a valid CEL identifier"),
    validateExpression(expression, "expression", noExpression),
  );
}

/** The field of each type of patch. */
const patches = { ApplyConfiguration: "applyConfiguration", JSONPatch: "jsonPatch" } as const;

function validateMutation(mutation: Mutation): readonly Problem[] {
  const { patchType: type } = mutation;
  if (!Object.hasOwn(patches, type)) return none;
  const field = patches[type];
  const other = patches[type === "JSONPatch" ? "ApplyConfiguration" : "JSONPatch"];
  const patch = mutation[field];
  return together(
    patch
      ? validateExpression(patch.expression, `${field}.expression`, noExpression)
      : required(field, `must be specified when patchType is ${type}`),
    mutation[other] && forbidden(other, `must not be specified when patchType is ${type}`),
  );
}

const validateValidation = ({ expression, message = "", messageExpression = "" }: Validation) =>
  together(
    validateExpression(expression, "expression", noExpression),
    messageExpression !== "" &&
      messageExpression.trim() === "" &&
      invalid("messageExpression", messageExpression, "must be non-empty if specified"),
    message !== "" && message.trim() === "" && invalid("message", message, "message must be non-empty if specified"),
    /[\n\r]/.test(message.trim()) && invalid("message", message, "message must not contain line breaks"),
  );

function validateAnnotation({ key = "", valueExpression = "" }: AuditAnnotation, path: string, policy: string) {
  const at = `${path}.valueExpression`;
  return together(
    policy === ""
      ? invalid(`${path}.key`, key, "requires metadata.name be non-empty")
      : validateQualifiedName(`${policy}/${key}`, `${path}.key`),
    validateExpression(valueExpression, at, "valueExpression is not specified"),
    valueExpression.trim().length > longestExpression &&
      required(at, `must not exceed ${longestExpression} bytes in length`),
  );
}

const oneItem = "validations or auditAnnotations must contain at least one item";
const noMatch = ({ spec: { matchConstraints: match } }: Draft<MutatingAdmissionPolicy | ValidatingAdmissionPolicy>) =>
  match && !match.resourceRules?.length && required("spec.matchConstraints.resourceRules");

function validateValidating(policy: Draft<ValidatingAdmissionPolicy>): readonly Problem[] {
  const { validations = [], auditAnnotations: annotations = [] } = policy.spec;
  const path = "spec.auditAnnotations";
  const isEmpty = validations.length + annotations.length === 0;
  return together(
    noMatch(policy),
    isEmpty && [required("spec.validations", oneItem), required(path, oneItem)],
    annotations.length > mostAnnotations &&
      invalid(path, annotations, `must not have more than ${mostAnnotations} auditAnnotations`),
    each(annotations, path, (annotation, at) => validateAnnotation(annotation, at, policy.metadata.name ?? "")),
    repeated(annotations, path, "key"),
  );
}

const policy = { ...extension, group: "admissionregistration.k8s.io", generation: "spec" } as const;
const policyRules = { ...matchRules, ParamKind: validateParamKind, Variable: validateVariable };
const paramKindColumn = {
  name: "ParamKind",
  cell: ({ spec: { paramKind: kind } }: { readonly spec: { readonly paramKind?: ParamKind } }) =>
    kind ? `${kind.apiVersion ?? ""}/${kind.kind ?? ""}` : "<unset>",
};

export const mutatingAdmissionPolicies = define<MutatingAdmissionPolicy>({
  ...policy,
  kind: "MutatingAdmissionPolicy",
  rules: { ...policyRules, Mutation: validateMutation },
  validate: (p) => together(noMatch(p)),
  columns: [
    nameColumn,
    { name: "Mutations", type: "integer", cell: (p) => p.spec.mutations?.length ?? 0 },
    paramKindColumn,
    ageColumn,
  ],
});

export const validatingAdmissionPolicies = define<ValidatingAdmissionPolicy>({
  ...policy,
  kind: "ValidatingAdmissionPolicy",
  subresources: ["status"],
  rules: { ...policyRules, Validation: validateValidation },
  validate: validateValidating,
  columns: [
    nameColumn,
    { name: "Validations", type: "integer", cell: (p) => p.spec.validations?.length ?? 0 },
    paramKindColumn,
    ageColumn,
  ],
});
