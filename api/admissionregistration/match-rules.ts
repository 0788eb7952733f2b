// What webhooks and policies share: the rules by which they match requests. Source: the API reference of
// admissionregistration.k8s.io.
import type { NamedRuleWithOperations, RuleWithOperations } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { each, invalid, none, repeated, required, together, wildcardAlone } from "../problems.ts";
import type { Rules } from "../validation.ts";

const validateNotEmpty = (text: string, path: string): readonly Problem[] => (text === "" ? [required(path)] : none);

/** A subresource that an earlier wildcard includes. */
function validateOverlap(text: string, path: string, before: readonly string[]): readonly Problem[] {
  const [resource, subresource] = text.split("/", 2);
  if (subresource === undefined) return none;
  return [`${resource}/*`, `*/${subresource}`]
    .filter((wide) => before.includes(wide))
    .map((wide) => invalid(path, text, `if '${wide}' is present, must not specify ${text}`));
}

function validateResources(resources: readonly string[] = []): readonly Problem[] {
  const path = "resources";
  const refuse = (detail: string): Problem => invalid(path, resources, detail);
  return together(
    each(resources, path, validateNotEmpty),
    each(resources, path, (text, at, i) => validateOverlap(text, at, resources.slice(0, i))),
    resources.length > 1 &&
      resources.includes("*/*") &&
      refuse("if '*/*' is present, must not specify other resources"),
    resources.includes("*") &&
      resources.some((text) => text !== "*" && !text.includes("/")) &&
      refuse("if '*' is present, must not specify other resources without subresources"),
  );
}

const validateRule = (rule: RuleWithOperations): readonly Problem[] =>
  together(
    wildcardAlone(rule.operations, "operations", "operations"),
    wildcardAlone(rule.apiGroups, "apiGroups", "API groups"),
    wildcardAlone(rule.apiVersions, "apiVersions", "API versions"),
    each(rule.apiVersions, "apiVersions", validateNotEmpty),
    validateResources(rule.resources),
  );

/** A CEL expression holds more than white space. */
export const validateExpression = (text: string | undefined, path: string, detail = ""): readonly Problem[] =>
  text?.trim() ? none : [required(path, detail)];

/** Rules of the types that webhooks and policies share. */
export const matchRules: Rules = {
  MatchCondition: ({ expression }: { readonly expression: string }) => validateExpression(expression, "expression"),
  NamedRuleWithOperations: (rule: NamedRuleWithOperations) =>
    together(
      repeated(rule.resourceNames, "resourceNames", (name) => name),
      validateRule(rule),
    ),
  RuleWithOperations: validateRule,
};

/** What kinds that extend the API share. */
export const extension = {
  categories: ["api-extensions"],
  scope: "Cluster",
  allowUnconditionalUpdate: false,
} as const;
