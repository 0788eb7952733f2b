// What can be wrong with a flow schema.
import type { Problem } from "../errors.ts";
import type {
  FlowcontrolV1Subject,
  FlowSchema,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from "../generated/types.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import type { Rules } from "../validation.ts";
import { detailOf, forbidden, invalid, required, unsupported } from "../problems.ts";

const lastPrecedence = 10_000;
const distinguishers = ["ByNamespace", "ByUser"];
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
const sorts = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;
type Sort = keyof typeof sorts;

/** A list that has to say something; `*` stands for all there is, and so stands alone. */
function validateAny(list: readonly string[] = [], path: string, missing: string, others: string): readonly Problem[] {
  if (list.length === 0) return [required(path, missing)];
  return list.length > 1 && list.includes("*")
    ? [invalid(path, list, `if '*' is present, must not specify other ${others}`)]
    : [];
}

const validateVerbs = (list: readonly string[] = [], path: string): readonly Problem[] => [
  ...validateAny(list, path, "verbs must contain at least one value", "verbs"),
  ...(list.includes("*") || list.every((v) => verbs.includes(v)) ? [] : [unsupported(path, list, verbs)]),
];

function validateAccount(account: FlowcontrolV1Subject["serviceAccount"], path: string): readonly Problem[] {
  const { name, namespace } = account!;
  return [
    ...(name ? (name === "*" ? [] : validateSubdomainName(name, `${path}.name`)) : [required(`${path}.name`)]),
    ...(namespace
      ? validateLabelName(namespace, `${path}.namespace`)
      : [required(`${path}.namespace`, "must specify namespace for service account")]),
  ];
}

function validateSubject(subject: FlowcontrolV1Subject, path: string): readonly Problem[] {
  const field = sorts[subject.kind];
  if (field === undefined) return [];
  const others = (Object.keys(sorts) as Sort[]).filter((kind) => kind !== subject.kind && subject[sorts[kind]]);
  const at = `${path}.${field}`;
  return [
    ...(subject[field] === undefined
      ? [required(at, `${field} is required when subject kind is '${subject.kind}'`)]
      : field === "serviceAccount"
        ? validateAccount(subject.serviceAccount, at)
        : []),
    ...others.map((kind) =>
      forbidden(`${path}.${sorts[kind]}`, `${sorts[kind]} is forbidden when subject kind is not '${kind}'`),
    ),
  ];
}

function validateUrl(url: string, path: string): readonly Problem[] {
  const stars = url.split("*").length - 1;
  const fault =
    url === ""
      ? "must not be empty"
      : url === "/"
        ? undefined
        : !url.startsWith("/")
          ? "must start with slash"
          : url.includes(" ")
            ? "must not contain white-space"
            : url.includes("//")
              ? "must not contain double slash"
              : stars > 1 || (stars === 1 && !url.endsWith("/*"))
                ? "wildcard can only do suffix matching"
                : undefined;
  return fault === undefined ? [] : [invalid(path, url, fault)];
}

function validateUrls({ verbs: list, nonResourceURLs: urls }: NonResourcePolicyRule, path: string): readonly Problem[] {
  const at = `${path}.nonResourceURLs`;
  return [
    ...validateVerbs(list, `${path}.verbs`),
    ...validateAny(urls, at, "nonResourceURLs must contain at least one value", "non-resource URLs"),
    ...(urls?.includes("*") ? [] : (urls ?? []).flatMap((url, i) => validateUrl(url, `${at}[${i}]`))),
  ];
}

function validateNamespaces({ namespaces = [], clusterScope }: ResourcePolicyRule, path: string): readonly Problem[] {
  if (namespaces.length === 0)
    return clusterScope
      ? []
      : [required(path, "resource rules that are not cluster scoped must supply at least one namespace")];
  if (namespaces.includes("*")) return validateAny(namespaces, path, "", "namespaces");
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return namespaces.flatMap((name, i) =>
    validateLabelName(name, `${path}[${i}]`).map((p) => invalid(p.path, name, intro + detailOf(p))),
  );
}

const validateResources = (rule: ResourcePolicyRule, path: string): readonly Problem[] => [
  ...validateVerbs(rule.verbs, `${path}.verbs`),
  ...validateAny(
    rule.apiGroups,
    `${path}.apiGroups`,
    "resource rules must supply at least one api group",
    "api groups",
  ),
  ...validateAny(rule.resources, `${path}.resources`, "resource rules must supply at least one resource", "resources"),
  ...validateNamespaces(rule, `${path}.namespaces`),
];

const validateRule = ({ resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects, path: string) =>
  resourceRules.length + nonResourceRules.length === 0
    ? [required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")]
    : [];

export const flowRules: Rules = {
  NonResourcePolicyRule: validateUrls,
  PolicyRulesWithSubjects: validateRule,
  ResourcePolicyRule: validateResources,
  Subject: validateSubject,
};

function validatePrecedence(precedence: number, name: string | undefined): readonly Problem[] {
  const path = "spec.matchingPrecedence";
  if (precedence <= 0) return [invalid(path, precedence, "must be a positive value")];
  if (precedence > lastPrecedence) return [invalid(path, precedence, `must not be greater than ${lastPrecedence}`)];
  return precedence === 1 && name !== "exempt"
    ? [invalid(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")]
    : [];
}

export function validateFlowSchema({ metadata, spec }: Draft<FlowSchema>): readonly Problem[] {
  const { distinguisherMethod: method } = spec;
  return [
    ...validatePrecedence(spec.matchingPrecedence ?? 0, metadata.name),
    ...(method && !distinguishers.includes(method.type)
      ? [unsupported("spec.distinguisherMethod.type", method, distinguishers)]
      : []),
  ];
}
