// What can be wrong with a validating policy, and with where it is bound.
import type { Problem } from "../errors.ts";
import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  Validation,
} from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName } from "../names.ts";
import { duplicate, invalid, required } from "../problems.ts";
import { validateMatch } from "./match-rules-validate.ts";
import type { Rules } from "../validation.ts";
import { policyRules, validateOccasion } from "./policy-specs-validate.ts";

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
    ...validateOccasion(spec),
    ...(isEmpty ? [required("spec.validations", oneItem), required("spec.auditAnnotations", oneItem)] : []),
    ...validateAnnotations(auditAnnotations, metadata.name),
  ];
}

export const validatingRules: Rules = { ...policyRules, Validation: validateValidation };

/** To refuse something and to warn of it is to say the same twice. */
export const validateBinding = ({ spec }: Draft<ValidatingAdmissionPolicyBinding>): readonly Problem[] => {
  const { matchResources, validationActions: actions = [] } = spec;
  return [
    ...validateMatch(matchResources),
    ...(actions.includes("Deny") && actions.includes("Warn") ? [invalid("spec.validationActions", actions, both)] : []),
  ];
};
