// What can be wrong with a validating policy, and with where it is bound.
import type { Problem } from "../errors.ts";
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName, validateSubdomainName } from "../names.ts";
import { duplicate, invalid, oneOf, required } from "../problems.ts";
import { validateMatch } from "./match-rules-validate.ts";
import { validateOccasion, validateParamRef, validatePolicyName } from "./policy-specs-validate.ts";

const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const actions = ["Audit", "Deny", "Warn"];
const mostAnnotations = 20;
const longestExpression = 5 * 1024;
const both =
  "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";

function validateValidation(v: Validation, path: string): readonly Problem[] {
  const { message = "", messageExpression = "" } = v;
  return [
    ...((v.expression ?? "").trim() === "" ? [required(`${path}.expression`, "expression is not specified")] : []),
    ...(messageExpression !== "" && messageExpression.trim() === ""
      ? [invalid(`${path}.messageExpression`, messageExpression, "must be non-empty if specified")]
      : []),
    ...(message !== "" && message.trim() === ""
      ? [invalid(`${path}.message`, message, "message must be non-empty if specified")]
      : /[\n\r]/.test(message.trim())
        ? [invalid(`${path}.message`, message, "message must not contain line breaks")]
        : []),
    ...oneOf(v.reason, `${path}.reason`, reasons),
  ];
}

function validateAnnotation(a: AuditAnnotation, path: string, policy: string | undefined): readonly Problem[] {
  const expression = (a.valueExpression ?? "").trim();
  const at = `${path}.valueExpression`;
  return [
    ...(policy
      ? validateQualifiedName(`${policy}/${a.key ?? ""}`, `${path}.key`)
      : [invalid(`${path}.key`, a.key, "requires metadata.name be non-empty")]),
    ...(expression === "" ? [required(at, "valueExpression is not specified")] : []),
    ...(expression.length > longestExpression
      ? [required(at, `must not exceed ${longestExpression} bytes in length`)]
      : []),
  ];
}

function validateAnnotations(all: readonly AuditAnnotation[], policy: string | undefined): readonly Problem[] {
  const path = "spec.auditAnnotations";
  return [
    ...(all.length > mostAnnotations
      ? [invalid(path, all, `must not have more than ${mostAnnotations} auditAnnotations`)]
      : []),
    ...all.flatMap((a, i) => [
      ...validateAnnotation(a, `${path}[${i}]`, policy),
      ...(all.findIndex((other) => other.key === a.key) < i ? [duplicate(`${path}[${i}].key`, a.key)] : []),
    ]),
  ];
}

export function validatePolicy({ metadata, spec }: Draft<ValidatingAdmissionPolicy>): readonly Problem[] {
  const { validations = [], auditAnnotations = [] } = spec;
  const oneItem = "validations or auditAnnotations must contain at least one item";
  const isEmpty = validations.length + auditAnnotations.length === 0;
  return [
    ...validateSubdomainName(metadata.name, "metadata.name"),
    ...validateOccasion(spec),
    ...(isEmpty ? [required("spec.validations", oneItem), required("spec.auditAnnotations", oneItem)] : []),
    ...validations.flatMap((v, i) => validateValidation(v, `spec.validations[${i}]`)),
    ...validateAnnotations(auditAnnotations, metadata.name),
  ];
}

function validateActions(all: readonly string[] = []): readonly Problem[] {
  const path = "spec.validationActions";
  return [
    ...all.flatMap((action, i) => [
      ...oneOf(action, `${path}[${i}]`, actions),
      ...(all.indexOf(action) < i ? [duplicate(`${path}[${i}]`, action)] : []),
    ]),
    ...(all.includes("Deny") && all.includes("Warn") ? [invalid(path, all, both)] : []),
    ...(all.length > 0 ? [] : [required(path, "at least one validation action is required")]),
  ];
}

export const validateBinding = ({ metadata, spec }: Draft<ValidatingAdmissionPolicyBinding>): readonly Problem[] => [
  ...validateSubdomainName(metadata.name, "metadata.name"),
  ...validatePolicyName(spec.policyName, "spec.policyName"),
  ...validateParamRef(spec.paramRef, "spec.paramRef"),
  // The field is misspelt there, and clients have seen it so.
  ...validateMatch(spec.matchResources, "spec.matchResouces"),
  ...validateActions(spec.validationActions),
];
