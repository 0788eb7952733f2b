// The audit policy: of which requests events are recorded, and how much of each. The first rule that matches a request
// decides. Source: Policy of audit.k8s.io/v1. Pure.
import type { Problem } from "../../api/errors.ts";
import { subdomainMessage, validateSubdomainName } from "../../api/names.ts";
import { each, invalid, required, together, unsupported } from "../../api/problems.ts";
import type { RequestInfo, User } from "../authorization/authorizer.ts";
import {
  type ConfigKind,
  flagSchema,
  readConfigFile,
  structs,
  textSchema,
  textsSchema,
  throwProblems,
} from "../documents/config-file.ts";

/** How much of a request is recorded, from nothing to both bodies. */
const levels = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type AuditLevel = (typeof levels)[number];
/** Whether a level records at least as much as another. */
export const isAtLeast = (level: AuditLevel, least: AuditLevel): boolean =>
  levels.indexOf(level) >= levels.indexOf(least);

/** When an event is recorded. `ResponseStarted` exists for requests that last, such as watches. */
const stages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type AuditStage = (typeof stages)[number];

interface GroupResources {
  readonly group?: string;
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
}
export interface AuditRule {
  readonly level: AuditLevel;
  readonly users?: readonly string[];
  readonly userGroups?: readonly string[];
  readonly verbs?: readonly string[];
  readonly resources?: readonly GroupResources[];
  readonly namespaces?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}
export interface AuditPolicy {
  readonly rules: readonly AuditRule[];
  readonly omitStages?: readonly AuditStage[];
  readonly omitManagedFields?: boolean;
}

const kind: ConfigKind = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  fields: {
    rules: structs("PolicyRule", {
      ...{ level: textSchema, users: textsSchema, userGroups: textsSchema, verbs: textsSchema },
      resources: structs("GroupResources", { group: textSchema, resources: textsSchema, resourceNames: textsSchema }),
      ...{ namespaces: textsSchema, nonResourceURLs: textsSchema, omitStages: textsSchema },
      omitManagedFields: flagSchema,
    }),
    ...{ omitStages: textsSchema, omitManagedFields: flagSchema },
  },
};

const stageProblems = (omitted: readonly string[] | undefined, path: string): readonly Problem[] =>
  each(
    omitted,
    path,
    (stage, at) =>
      !stages.some((known) => known === stage) && invalid(at, stage, `allowed stages are ${stages.join(",")}`),
  );

const levelProblem = (level: string | undefined, path: string): Problem | false =>
  !level ? required(path) : !levels.some((known) => known === level) && unsupported(path, level, levels);

const urlProblems = (url: string, path: string): readonly Problem[] =>
  url === "*"
    ? []
    : together(
        !url.startsWith("/") && invalid(path, url, "non-resource URL rules must begin with a '/' character"),
        url.slice(0, -1).includes("*") &&
          invalid(path, url, "non-resource URL wildcards '*' must be the final character of the rule"),
      );

const resourceProblems = ({ group = "", resources = [], resourceNames = [] }: GroupResources, path: string) =>
  together(
    group !== "*" && validateSubdomainName(group, "").length > 0 && invalid(`${path}.group`, group, subdomainMessage),
    resourceNames.length > 0 &&
      resources.length === 0 &&
      invalid(`${path}.resourceNames`, resourceNames, "using resourceNames requires at least one resource"),
  );

const ruleProblems = (rule: AuditRule, path: string): readonly Problem[] => {
  const { nonResourceURLs = [], resources = [], namespaces = [] } = rule;
  return together(
    levelProblem(rule.level, `${path}.level`),
    each(nonResourceURLs, `${path}.nonResourceURLs`, urlProblems),
    // Kubernetes leaves out the index.
    resources.flatMap((resource) => resourceProblems(resource, `${path}.resources`)),
    stageProblems(rule.omitStages, `${path}.omitStages`),
    nonResourceURLs.length > 0 &&
      resources.length + namespaces.length > 0 &&
      invalid(
        `${path}.nonResourceURLs`,
        nonResourceURLs,
        "rules cannot apply to both regular resources and non-resource URLs",
      ),
  );
};

/** The policy in a file. Throws what is wrong with it. */
export function readAuditPolicy(text: string): AuditPolicy {
  const policy = readConfigFile<Partial<AuditPolicy>>(text, kind);
  const { rules = [] } = policy;
  throwProblems(together(stageProblems(policy.omitStages, "omitStages"), each(rules, "rules", ruleProblems)));
  if (rules.length === 0) throw new Error("loaded illegal policy with 0 rules");
  return { ...policy, rules };
}

/** Whether an empty list, which matches everything, or an element of it is this. */
const matches = (values: readonly string[] | undefined, value: string | undefined): boolean =>
  !values?.length || (value !== undefined && values.includes(value));

const isResource = (wanted: string, resource: string, subresource: string): boolean =>
  wanted === "*" ||
  wanted === (subresource === "" ? resource : `${resource}/${subresource}`) ||
  (subresource !== "" && wanted === `*/${subresource}`) ||
  wanted === `${resource}/*`;

/** The namespace of a request. That of a request to a namespace is the namespace itself. */
export const namespaceOfRequest = ({ resource, namespace, name }: RequestInfo): string | undefined =>
  resource === "namespaces" ? name : namespace;

function matchesResource({ namespaces, resources = [] }: AuditRule, request: RequestInfo): boolean {
  const { group = "", resource, subresource = "", name = "" } = request;
  if (resource === undefined || !matches(namespaces, namespaceOfRequest(request) ?? "")) return false;
  if (resources.length === 0) return true;
  return resources.some(
    (wanted) =>
      ((wanted.group ?? "") === group || wanted.group === "*") &&
      (!wanted.resources?.length ||
        (matches(wanted.resourceNames, name) && wanted.resources.some((r) => isResource(r, resource, subresource)))),
  );
}

const matchesPath = (urls: readonly string[], path: string): boolean =>
  urls.some((url) => url === "*" || url === path || (url.endsWith("*") && path.startsWith(url.replace(/\*+$/, ""))));

function matchesRule(rule: AuditRule, request: RequestInfo, user: User | undefined): boolean {
  const { userGroups = [], namespaces = [], resources = [], nonResourceURLs = [] } = rule;
  if (!matches(rule.users, user?.name) || !matches(rule.verbs, request.verb)) return false;
  if (userGroups.length > 0 && !user?.groups.some((group) => userGroups.includes(group))) return false;
  if (namespaces.length + resources.length > 0) return matchesResource(rule, request);
  if (nonResourceURLs.length === 0) return true;
  return request.resource === undefined && matchesPath(nonResourceURLs, request.path ?? "");
}

/** How a request is recorded. */
export interface AuditDecision {
  readonly level: AuditLevel;
  readonly omitStages: readonly AuditStage[];
  readonly omitManagedFields: boolean;
}

/** How a request of a user is recorded; one without valid credentials has no user. */
export function auditDecision(policy: AuditPolicy, request: RequestInfo, user: User | undefined): AuditDecision {
  const rule = policy.rules.find((candidate) => matchesRule(candidate, request, user));
  return {
    level: rule?.level ?? "None",
    omitStages: [...(policy.omitStages ?? []), ...(rule?.omitStages ?? [])],
    omitManagedFields: rule?.omitManagedFields ?? policy.omitManagedFields ?? false,
  };
}
