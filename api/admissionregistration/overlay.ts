// Facts that the published schemas of the admissionregistration group lack.
import {
  type Facts,
  labelKey,
  needed,
  neededSubdomain,
  type Overlay,
  present,
  unchecked,
  values,
  serviceReference,
} from "../overlay.ts";

const scope: Facts = { default: "*", ...values("*", "Cluster", "Namespaced") };
const operations: Facts = { ...needed, items: values("*", "CONNECT", "CREATE", "DELETE", "UPDATE") };
/** Matches equivalent versions, and objects and namespaces with any labels. */
const everywhere: Overlay[string] = {
  matchPolicy: { default: "Equivalent" },
  namespaceSelector: present,
  objectSelector: present,
};
const conditions: Facts = { maxItems: 64, unique: ["name"] };
const webhook: Overlay[string] = {
  ...everywhere,
  name: needed,
  admissionReviewVersions: { nonEmpty: "must specify one of v1, v1beta1" },
  failurePolicy: { default: "Fail" },
  matchConditions: conditions,
  sideEffects: { nonEmpty: "must specify one of None, NoneOnDryRun", ...values("None", "NoneOnDryRun") },
  timeoutSeconds: { default: 10, bounds: [1, 30, "the timeout value must be between 1 and 30 seconds"] },
};
const policy: Overlay[string] = { failurePolicy: { default: "Fail" }, matchConditions: conditions };
/** The field is misspelt in messages: see the code of the bindings. */
const binding: Overlay[string] = { matchResources: unchecked, policyName: neededSubdomain };
const rule: Overlay[string] = { apiGroups: needed, apiVersions: needed, operations, resources: needed, scope };

export const admissionregistrationOverlay: Overlay = {
  MatchCondition: { name: { ...needed, ...labelKey } },
  MatchResources: everywhere,
  MutatingAdmissionPolicyBindingSpec: binding,
  MutatingAdmissionPolicySpec: {
    ...policy,
    matchConstraints: needed,
    mutations: { nonEmpty: "mutations must contain at least one item" },
    reinvocationPolicy: needed,
  },
  MutatingWebhook: { ...webhook, reinvocationPolicy: { default: "Never" } },
  MutatingWebhookConfiguration: { webhooks: { unique: ["name"] } },
  Mutation: { patchType: needed },
  NamedRuleWithOperations: { resourceNames: { items: { format: "path-segment" } }, ...rule },
  ParamKind: { apiVersion: needed, kind: { nonEmpty: true, format: "mixed-case-label" } },
  ParamRef: {
    name: { format: "path-segment" },
    parameterNotFoundAction: { ...needed, ...values("Deny", "Allow") },
  },
  RuleWithOperations: rule,
  ServiceReference: serviceReference,
  ValidatingAdmissionPolicy: { status: present },
  ValidatingAdmissionPolicyBindingSpec: {
    ...binding,
    validationActions: { nonEmpty: "at least one validation action is required", unique: true },
  },
  ValidatingAdmissionPolicySpec: { ...policy, matchConstraints: needed },
  ValidatingAdmissionPolicyStatus: { conditions: unchecked },
  ValidatingWebhook: webhook,
  ValidatingWebhookConfiguration: { webhooks: { unique: ["name"] } },
  Validation: { reason: values("Forbidden", "Invalid", "RequestEntityTooLarge") },
};
