// The bindings of admission policies: where a policy applies, and with which parameters.
import type {
  MatchResources,
  MutatingAdmissionPolicyBinding,
  ParamRef,
  ValidatingAdmissionPolicyBinding,
} from "../generated/types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import { forbidden, invalid, none, required, together } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { selectorText } from "../selector.ts";
import { problemsAt } from "../validation.ts";
import { extension, matchRules } from "./match-rules.ts";

const matchSchema = schemaOf("io.k8s.api.admissionregistration.v1.MatchResources");
/** The path of the field is misspelt in Kubernetes too, and clients know it so. */
const validateMatch = (match: MatchResources | undefined): readonly Problem[] =>
  match ? problemsAt("spec.matchResouces", matchSchema, match, undefined, matchRules) : none;

const exclusive = "name and selector are mutually exclusive";
const denyAndWarn =
  "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";

/** One parameter by name, or all that a selector matches. */
const validateParamRef = ({ name, selector }: ParamRef): readonly Problem[] =>
  together(
    name && selector && [forbidden("name", exclusive), forbidden("selector", exclusive)],
    !name && !selector && required("", "one of name or selector must be specified"),
  );

function paramText(ref: ParamRef | undefined): string {
  if (ref?.name) return `${ref.namespace || "*"}/${ref.name}`;
  return ref?.selector ? selectorText(ref.selector) : "<unset>";
}

interface Binding {
  readonly spec: { readonly policyName?: string; readonly paramRef?: ParamRef };
}
const binding = {
  ...extension,
  group: "admissionregistration.k8s.io",
  generation: "spec",
  rules: { ParamRef: validateParamRef },
  columns: [
    nameColumn,
    { name: "PolicyName", cell: (b: Binding) => b.spec.policyName ?? "" },
    { name: "ParamRef", cell: (b: Binding) => paramText(b.spec.paramRef) },
    ageColumn,
  ],
} as const;

export const mutatingAdmissionPolicyBindings = define<MutatingAdmissionPolicyBinding>({
  ...binding,
  kind: "MutatingAdmissionPolicyBinding",
  validate: ({ spec }) => validateMatch(spec.matchResources),
});

export const validatingAdmissionPolicyBindings = define<ValidatingAdmissionPolicyBinding>({
  ...binding,
  kind: "ValidatingAdmissionPolicyBinding",
  validate: ({ spec: { matchResources, validationActions: actions = [] } }) =>
    together(
      validateMatch(matchResources),
      actions.includes("Deny") && actions.includes("Warn") && invalid("spec.validationActions", actions, denyAndWarn),
    ),
});
