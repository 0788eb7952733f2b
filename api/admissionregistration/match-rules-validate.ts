// What can be wrong with the rules by which a webhook or a policy picks requests.
import type { Problem } from "../errors.ts";
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../generated/types.ts";
import { validatePathSegment, validateQualifiedName } from "../names.ts";
import { duplicate, invalid, oneOf, required, tooMany, unsupported } from "../problems.ts";
import { validateLabelSelector } from "../selector-validate.ts";

export const failurePolicies: readonly string[] = ["Fail", "Ignore"];
export const matchPolicies: readonly string[] = ["Equivalent", "Exact"];
const scopes = ["*", "Cluster", "Namespaced"];
const operations = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const mostConditions = 64;

/** A list that has to say something; `*` stands for all there is, and so stands alone. */
function validateAny(list: readonly string[] = [], path: string, others: string): readonly Problem[] {
  if (list.length === 0) return [required(path)];
  return list.length > 1 && list.includes("*")
    ? [invalid(path, list, `if '*' is present, must not specify other ${others}`)]
    : [];
}

/** Of two that overlap, the one that says less is wrong. */
function overlaps(resources: readonly string[], path: string): readonly Problem[] {
  return resources.flatMap((text, i) => {
    const [resource, part] = text.split("/", 2) as [string, string | undefined];
    if (part === undefined) return [];
    const before = resources.slice(0, i);
    const at = `${path}[${i}]`;
    return [`${resource}/*`, `*/${part}`]
      .filter((wide) => before.includes(wide))
      .map((wide) => invalid(at, text, `if '${wide}' is present, must not specify ${text}`));
  });
}

function validateResources(resources: readonly string[] = [], path: string): readonly Problem[] {
  const isPlain = (text: string): boolean => text !== "*" && !text.includes("/");
  return [
    ...(resources.length > 0 ? [] : [required(path)]),
    ...resources.flatMap((text, i) => (text === "" ? [required(`${path}[${i}]`)] : [])),
    ...overlaps(resources, path),
    ...(resources.length > 1 && resources.includes("*/*")
      ? [invalid(path, resources, "if '*/*' is present, must not specify other resources")]
      : []),
    ...(resources.includes("*") && resources.some(isPlain)
      ? [invalid(path, resources, "if '*' is present, must not specify other resources without subresources")]
      : []),
  ];
}

export const validateRule = (rule: RuleWithOperations, path: string): readonly Problem[] => [
  ...validateAny(rule.operations, `${path}.operations`, "operations"),
  ...(rule.operations ?? []).flatMap((o, i) => oneOf(o, `${path}.operations[${i}]`, operations)),
  ...validateAny(rule.apiGroups, `${path}.apiGroups`, "API groups"),
  ...validateAny(rule.apiVersions, `${path}.apiVersions`, "API versions"),
  ...(rule.apiVersions ?? []).flatMap((v, i) => (v === "" ? [required(`${path}.apiVersions[${i}]`)] : [])),
  ...validateResources(rule.resources, `${path}.resources`),
  ...oneOf(rule.scope, `${path}.scope`, scopes),
];

function validateNamedRule(rule: NamedRuleWithOperations, path: string): readonly Problem[] {
  const names = rule.resourceNames ?? [];
  return [
    ...names.flatMap((name, i) => [
      ...validatePathSegment(name, `${path}.resourceNames[${i}]`),
      ...(names.indexOf(name) < i ? [duplicate(`${path}.resourceNames[${i}]`, name)] : []),
    ]),
    ...validateRule(rule, path),
  ];
}

/** What is wrong with what a policy looks at; nothing at all is the caller's business. */
export const validateMatch = (match: MatchResources | undefined, path: string): readonly Problem[] =>
  match === undefined
    ? []
    : [
        ...(match.matchPolicy !== undefined && !matchPolicies.includes(match.matchPolicy)
          ? [unsupported(`${path}.matchPolicy`, match.matchPolicy, matchPolicies)]
          : []),
        ...validateLabelSelector(match.namespaceSelector, `${path}.namespaceSelector`),
        ...validateLabelSelector(match.objectSelector, `${path}.objectSelector`),
        ...(match.resourceRules ?? []).flatMap((r, i) => validateNamedRule(r, `${path}.resourceRules[${i}]`)),
        ...(match.excludeResourceRules ?? []).flatMap((r, i) =>
          validateNamedRule(r, `${path}.excludeResourceRules[${i}]`),
        ),
      ];

/** Conditions in CEL: each has a name of its own and says something. */
export function validateConditions(conditions: readonly MatchCondition[] = [], path: string): readonly Problem[] {
  return [
    ...(conditions.length > mostConditions ? [tooMany(path, conditions.length, mostConditions)] : []),
    ...conditions.flatMap((c, i) => [
      ...((c.expression ?? "").trim() === "" ? [required(`${path}[${i}].expression`)] : []),
      ...(c.name ? validateQualifiedName(c.name, `${path}[${i}].name`) : [required(`${path}[${i}].name`)]),
      ...(c.name && conditions.findIndex((other) => other.name === c.name) < i
        ? [duplicate(`${path}[${i}].name`, c.name)]
        : []),
    ]),
  ];
}
