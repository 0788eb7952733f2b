// `create role`, `create clusterrole` and their bindings.
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";

const group = "rbac.authorization.k8s.io";
const apiVersion = `${group}/v1`;

/** A resource as `--resource` names it: `pods`, `deployments.apps`, `pods/log`. */
export interface ResourceArgument {
  readonly resource: string;
  readonly group: string;
  readonly subresource: string;
}

export function resourceArgument(text: string): ResourceArgument {
  const [type = "", ...rest] = text.split("/");
  const [resource = "", ...groups] = type.split(".");
  if (resource === "") throw new CliError("resource must be specified if apiGroup/subresource specified");
  return { resource, group: groups.join("."), subresource: rest.join("/") };
}

/** A resource as the server names it, with the subresource of the argument. */
export interface ResolvedResource extends ResourceArgument {}

const verbsOfResources: readonly string[] = [
  "get",
  "delete",
  "list",
  "create",
  "update",
  "patch",
  "watch",
  "proxy",
  "deletecollection",
  "use",
  "bind",
  "escalate",
  "impersonate",
];
const verbsOfUrls: readonly string[] = ["get", "post", "put", "delete", "patch", "head", "options"];
/** Verbs of particular resources only. */
const specialVerbs: Readonly<Record<string, readonly Readonly<Record<"group" | "resource", string>>[]>> = {
  use: [],
  bind: [
    { group, resource: "roles" },
    { group, resource: "clusterroles" },
  ],
  escalate: [
    { group, resource: "roles" },
    { group, resource: "clusterroles" },
  ],
  impersonate: [
    { group: "", resource: "users" },
    { group: "", resource: "serviceaccounts" },
    { group: "", resource: "groups" },
    { group: "authentication.k8s.io", resource: "userextras" },
  ],
};

export interface RoleFlags {
  readonly verb?: readonly string[];
  readonly resource?: readonly string[];
  readonly resourceName?: readonly string[];
}
export interface ClusterRoleFlags extends RoleFlags {
  readonly nonResourceUrl?: readonly string[];
  readonly aggregationRule?: Readonly<Record<string, string>>;
}

/** Verbs without repetition; `*` includes all others. */
const verbsOf = (flags: RoleFlags): readonly string[] => {
  const verbs = [...new Set(flags.verb ?? [])];
  return verbs.includes("*") ? ["*"] : verbs;
};

const warningOf = (verb: string): readonly string[] =>
  verb === "*" || verbsOfResources.includes(verb) ? [] : [`'${verb}' is not a standard resource verb`];

function checkVerb(verb: string, resources: readonly ResolvedResource[]): void {
  const special = specialVerbs[verb];
  if (!special) return;
  for (const r of resources)
    if (!special.some((s) => s.group === r.group && s.resource === r.resource))
      throw new CliError(`can not perform '${verb}' on '${r.resource}' in group '${r.group}'`);
}

/** The rules of resources: one for each API group, the groups in alphabetical order. */
function resourceRules(flags: RoleFlags, resources: readonly ResolvedResource[]): readonly object[] {
  const groups = Map.groupBy(resources, (r) => r.group);
  return [...groups]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([apiGroup, of]) => ({
      verbs: verbsOf(flags),
      apiGroups: [apiGroup],
      resources: [...new Set(of.map((r) => (r.subresource === "" ? r.resource : `${r.resource}/${r.subresource}`)))],
      resourceNames: unlessEmpty([...new Set(flags.resourceName ?? [])]),
    }));
}

/** Checks the flags of a role, before discovery. */
export function checkRole(flags: RoleFlags): readonly ResourceArgument[] {
  if (verbsOf(flags).length === 0) throw new CliError("at least one verb must be specified");
  const resources = (flags.resource ?? []).map(resourceArgument);
  if (resources.length === 0) throw new CliError("at least one resource must be specified");
  return resources;
}

/** Checks the verbs against the resources. Returns warnings. */
export function checkVerbs(flags: RoleFlags, resources: readonly ResolvedResource[]): readonly string[] {
  const verbs = verbsOf(flags);
  for (const verb of verbs) checkVerb(verb, resources);
  return verbs.flatMap(warningOf);
}

/** A Role with these resources. */
export const role = (name: string, flags: RoleFlags, resources: readonly ResolvedResource[]): GeneratedObject => ({
  kind: "Role",
  apiVersion,
  metadata: { name },
  rules: resourceRules(flags, resources),
});

function checkUrl(url: string): void {
  if (url === "*") return;
  if (!url.startsWith("/")) throw new CliError("nonResourceURL should start with /");
  if (url.slice(0, -1).includes("*"))
    throw new CliError("nonResourceURL only supports wildcard matches when '*' is at the end");
}

/** Checks the flags of a cluster role, before discovery. */
export function checkClusterRole(flags: ClusterRoleFlags): readonly ResourceArgument[] {
  const { nonResourceUrl = [], aggregationRule = {}, resource = [], resourceName = [] } = flags;
  const verbs = verbsOf(flags);
  if (Object.keys(aggregationRule).length > 0) {
    if ([nonResourceUrl, verbs, resource, resourceName].some((list) => list.length > 0))
      throw new CliError(
        "aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames",
      );
    return [];
  }
  const resources = resource.map(resourceArgument);
  if (verbs.length === 0) throw new CliError("at least one verb must be specified");
  if (resources.length === 0 && nonResourceUrl.length === 0)
    throw new CliError("one of resource or nonResourceURL must be specified");
  return resources;
}

/** Checks the URLs, and the verbs that they are for. */
export function checkUrls(flags: ClusterRoleFlags): void {
  const { nonResourceUrl = [] } = flags;
  if (nonResourceUrl.length === 0) return;
  for (const verb of verbsOf(flags))
    if (verb !== "*" && !verbsOfUrls.includes(verb)) throw new CliError(`invalid verb: '${verb}' for nonResourceURL`);
  for (const url of nonResourceUrl) checkUrl(url);
}

/** A ClusterRole: rules of resources and URLs, or an aggregation of other roles. */
export function clusterRole(
  name: string,
  flags: ClusterRoleFlags,
  resources: readonly ResolvedResource[],
): GeneratedObject {
  const { nonResourceUrl = [], aggregationRule = {} } = flags;
  const head = { kind: "ClusterRole", apiVersion, metadata: { name } };
  if (Object.keys(aggregationRule).length > 0)
    return { ...head, rules: null, aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregationRule }] } };
  const urls = nonResourceUrl.length > 0 ? [{ verbs: verbsOf(flags), nonResourceURLs: nonResourceUrl }] : [];
  return { ...head, rules: [...resourceRules(flags, resources), ...urls] };
}

export interface SubjectFlags {
  readonly subjectUser?: readonly string[];
  readonly group?: readonly string[];
  readonly serviceaccount?: readonly string[];
}

/** A subject of a binding. */
export interface Subject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}

function serviceAccount(text: string): Subject {
  const [namespace, name, ...more] = text.split(":");
  if (!namespace || !name || more.length > 0) throw new CliError("serviceaccount must be <namespace>:<name>");
  return { kind: "ServiceAccount", name, namespace };
}

/** The subjects of the flags. Throws CliError in kubectl's words. */
export const subjectsOf = ({
  subjectUser = [],
  group: groups = [],
  serviceaccount = [],
}: SubjectFlags): readonly Subject[] => [
  ...subjectUser.map((name) => ({ kind: "User", apiGroup: group, name })),
  ...groups.map((name) => ({ kind: "Group", apiGroup: group, name })),
  ...serviceaccount.map(serviceAccount),
];

export interface BindingFlags extends SubjectFlags {
  readonly role?: string;
  readonly clusterrole?: string;
}

/** A RoleBinding to a Role or a ClusterRole. */
export function roleBinding(name: string, flags: BindingFlags): GeneratedObject {
  if (Boolean(flags.role) === Boolean(flags.clusterrole))
    throw new CliError("exactly one of clusterrole or role must be specified");
  const kind = flags.role ? "Role" : "ClusterRole";
  return {
    kind: "RoleBinding",
    apiVersion,
    metadata: { name },
    subjects: unlessEmpty(subjectsOf(flags)),
    roleRef: { apiGroup: group, kind, name: flags.role || flags.clusterrole },
  };
}

/** A ClusterRoleBinding. */
export const clusterRoleBinding = (name: string, flags: BindingFlags): GeneratedObject => ({
  kind: "ClusterRoleBinding",
  apiVersion,
  metadata: { name },
  subjects: unlessEmpty(subjectsOf(flags)),
  roleRef: { apiGroup: group, kind: "ClusterRole", name: flags.clusterrole },
});
