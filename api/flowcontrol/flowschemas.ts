// FlowSchema: which requests form a flow, and the priority level they are served at. PriorityLevelConfiguration: the
// share of the server's concurrency that a level has, and whether requests beyond it wait in queues. Source: KEP-1040.
import type {
  FlowSchema,
  FlowcontrolV1Subject,
  LimitResponse,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  PriorityLevelConfiguration,
  QueuingConfiguration,
  ResourcePolicyRule,
} from "../generated/types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import type { Problem } from "../errors.ts";
import { define } from "../kinds.ts";
import type { Draft } from "../meta.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import {
  detailOf,
  each,
  forbidden,
  invalid,
  none,
  required,
  together,
  unsupported,
  wildcardAlone,
} from "../problems.ts";

const distinguishers = ["ByNamespace", "ByUser"];
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];
/** The field of each kind of subject. */
const fields = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

const validateVerbs = (list: readonly string[] = []) =>
  together(
    wildcardAlone(list, "verbs", "verbs"),
    !list.includes("*") && !list.every((verb) => verbs.includes(verb)) && unsupported("verbs", list, verbs),
  );

function validateAccount({ name, namespace }: NonNullable<FlowcontrolV1Subject["serviceAccount"]>) {
  const at = "serviceAccount";
  return together(
    name === "" ? required(`${at}.name`) : name !== "*" && validateSubdomainName(name, `${at}.name`),
    namespace === ""
      ? required(`${at}.namespace`, "must specify namespace for service account")
      : validateLabelName(namespace, `${at}.namespace`),
  );
}

function validateSubject(subject: FlowcontrolV1Subject): readonly Problem[] {
  const own = subject.kind;
  if (!Object.hasOwn(fields, own)) return [];
  const others = (Object.keys(fields) as (keyof typeof fields)[]).filter(
    (kind) => kind !== own && subject[fields[kind]],
  );
  return together(
    !subject[fields[own]] && required(fields[own], `${fields[own]} is required when subject kind is '${own}'`),
    own === "ServiceAccount" && subject.serviceAccount && validateAccount(subject.serviceAccount),
    others.map((kind) => forbidden(fields[kind], `${fields[kind]} is forbidden when subject kind is not '${kind}'`)),
  );
}

function faultOfUrl(url: string): string | undefined {
  if (url === "") return "must not be empty";
  if (url === "/") return undefined;
  if (!url.startsWith("/")) return "must start with slash";
  if (url.includes(" ")) return "must not contain white-space";
  if (url.includes("//")) return "must not contain double slash";
  return /\*.|[^/]\*/s.test(url) ? "wildcard can only do suffix matching" : undefined;
}

function validateUrls(urls: readonly string[] = []): readonly Problem[] {
  if (urls.includes("*")) return wildcardAlone(urls, "nonResourceURLs", "non-resource URLs");
  return each(urls, "nonResourceURLs", (url, at) => {
    const fault = faultOfUrl(url);
    return fault === undefined ? [] : [invalid(at, url, fault)];
  });
}

function validateNamespaces({ namespaces = [], clusterScope }: ResourcePolicyRule): readonly Problem[] {
  if (namespaces.length === 0 && !clusterScope)
    return [required("namespaces", "resource rules that are not cluster scoped must supply at least one namespace")];
  if (namespaces.includes("*")) return wildcardAlone(namespaces, "namespaces", "namespaces");
  const intro = "each member of this list must be '*' or a DNS-1123 label; ";
  return each(namespaces, "namespaces", (name, at) =>
    validateLabelName(name, at).map((problem) => invalid(at, name, intro + detailOf(problem))),
  );
}

const noRules = "at least one of resourceRules and nonResourceRules has to be non-empty";

function validateSchema({ metadata, spec }: Draft<FlowSchema>): readonly Problem[] {
  const { distinguisherMethod: method, matchingPrecedence: precedence = 0 } = spec;
  return together(
    precedence === 1 &&
      metadata.name !== "exempt" &&
      invalid("spec.matchingPrecedence", precedence, "only the schema named 'exempt' may have matchingPrecedence 1"),
    method &&
      !distinguishers.includes(method.type) &&
      unsupported("spec.distinguisherMethod.type", method, distinguishers),
  );
}

export const flowSchemas = define<FlowSchema>({
  group: "flowcontrol.apiserver.k8s.io",
  kind: "FlowSchema",
  scope: "Cluster",
  subresources: ["status"],
  generation: "spec",
  rules: {
    NonResourcePolicyRule: (rule: NonResourcePolicyRule) =>
      together(validateVerbs(rule.verbs), validateUrls(rule.nonResourceURLs)),
    PolicyRulesWithSubjects: ({ resourceRules = [], nonResourceRules = [] }: PolicyRulesWithSubjects) =>
      resourceRules.length + nonResourceRules.length === 0 ? [required("", noRules)] : [],
    ResourcePolicyRule: (rule: ResourcePolicyRule) =>
      together(
        validateVerbs(rule.verbs),
        wildcardAlone(rule.apiGroups, "apiGroups", "api groups"),
        wildcardAlone(rule.resources, "resources", "resources"),
        validateNamespaces(rule),
      ),
    Subject: validateSubject,
  },
  validate: validateSchema,
  columns: [
    nameColumn,
    { name: "PriorityLevel", cell: (s) => s.spec.priorityLevelConfiguration?.name ?? "" },
    { name: "MatchingPrecedence", cell: (s) => s.spec.matchingPrecedence ?? 0 },
    { name: "DistinguisherMethod", cell: (s) => s.spec.distinguisherMethod?.type ?? "<none>" },
    ageColumn,
    { name: "MissingPL", cell: (s) => s.status?.conditions?.find((c) => c.type === "Dangling")?.status ?? "?" },
  ],
});

/** Bits of a hash that are available to draw a hand of queues for a flow. */
const hashBits = 60;

function validateQueuing({ queues = 0, handSize = 0 }: QueuingConfiguration): readonly Problem[] {
  if (handSize <= 0) return none;
  if (handSize > queues) return [invalid("handSize", handSize, `should not be greater than queues (${queues})`)];
  const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`;
  return Math.ceil(Math.log2(queues) * handSize) > hashBits ? [invalid("handSize", handSize, detail)] : none;
}

const validateResponse = ({ type, queuing }: LimitResponse) =>
  together(
    type === "Reject" && queuing && forbidden("queuing", "must be nil if limited.limitResponse.type is not Limited"),
    type === "Queue" && !queuing && required("queuing", "must not be empty if limited.limitResponse.type is Limited"),
  );

const validateLevel = ({ metadata, spec: { type, limited, exempt } }: Draft<PriorityLevelConfiguration>) =>
  together(
    (metadata.name === "exempt") !== (type === "Exempt") &&
      invalid("spec.type", type, "type must be 'Exempt' if and only if name is 'exempt'"),
    type === "Exempt" && limited && forbidden("spec.limited", "must be nil if the type is not Limited"),
    type === "Limited" && !limited && required("spec.limited", "must not be empty when type is Limited"),
    type === "Limited" && exempt && forbidden("spec.exempt", "must be nil if the type is Limited"),
  );

const queuingOf = ({ spec }: PriorityLevelConfiguration): QueuingConfiguration | undefined =>
  spec.limited?.limitResponse?.queuing;

export const priorityLevelConfigurations = define<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  kind: "PriorityLevelConfiguration",
  scope: "Cluster",
  subresources: ["status"],
  generation: "spec",
  rules: { LimitResponse: validateResponse, QueuingConfiguration: validateQueuing },
  validate: validateLevel,
  columns: [
    nameColumn,
    { name: "Type", cell: (l) => l.spec.type },
    { name: "NominalConcurrencyShares", cell: (l) => l.spec.limited?.nominalConcurrencyShares ?? "<none>" },
    { name: "Queues", cell: (l) => queuingOf(l)?.queues ?? "<none>" },
    { name: "HandSize", cell: (l) => queuingOf(l)?.handSize ?? "<none>" },
    { name: "QueueLengthLimit", cell: (l) => queuingOf(l)?.queueLengthLimit ?? "<none>" },
    ageColumn,
  ],
});
