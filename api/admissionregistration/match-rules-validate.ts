// What can be wrong with the rules by which a webhook or a policy picks requests.
import type { Problem } from "../errors.ts";
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "../generated/types.ts";
import { validatePathSegment } from "../names.ts";
import { duplicate, invalid, required } from "../problems.ts";
import { schemaOf } from "../schema.ts";
import { problemsAt, type Rules } from "../validation.ts";

/** `*` stands for all there is, and so stands alone. */
const validateStar = (list: readonly string[] = [], path: string, others: string): readonly Problem[] =>
  list.length > 1 && list.includes("*")
    ? [invalid(path, list, `if '*' is present, must not specify other ${others}`)]
    : [];

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

const validateRule = (rule: RuleWithOperations | NamedRuleWithOperations, path: string): readonly Problem[] => [
  ...validateStar(rule.operations, `${path}.operations`, "operations"),
  ...validateStar(rule.apiGroups, `${path}.apiGroups`, "API groups"),
  ...validateStar(rule.apiVersions, `${path}.apiVersions`, "API versions"),
  ...(rule.apiVersions ?? []).flatMap((v, i) => (v === "" ? [required(`${path}.apiVersions[${i}]`)] : [])),
  ...validateResources(rule.resources, `${path}.resources`),
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

/** Rules of the types that webhooks and policies share. */
export const matchRules: Rules = {
  MatchCondition: ({ expression = "" }: MatchCondition, path: string) =>
    expression.trim() === "" ? [required(`${path}.expression`)] : [],
  NamedRuleWithOperations: validateNamedRule,
  RuleWithOperations: validateRule,
};

const matchSchema = schemaOf("io.k8s.api.admissionregistration.v1.MatchResources");
/** What is wrong with where a policy is bound. The field is misspelt there, and clients have seen it so. */
export const validateMatch = (match: MatchResources | undefined): readonly Problem[] =>
  match ? problemsAt("spec.matchResouces", matchSchema, match, undefined, matchRules) : [];
