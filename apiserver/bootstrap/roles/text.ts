// Roles and bindings as lines of text. A line without indentation begins a role: its name, after its namespace if it
// has one, and `for` with the subjects it is bound to; `as` names the binding where it is not named as the role is.
// The indented lines after it are its rules: verbs, groups, resources, and after `named` the names; or verbs and paths.
// `account:X` is a service account in kube-system.
import type { PolicyRule, RbacV1Subject } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { AccessObject } from "../../../api/rbac/reconcile.ts";
import { clusterRoleBindings, roleBindings } from "../../../api/rbac/rolebindings.ts";
import { clusterRoles, rbacGroup, roles } from "../../../api/rbac/roles.ts";

/** A role or a binding, and its kind. */
export type AccessRow = readonly [ResourceDefinition, AccessObject];

const words = (text: string): readonly string[] => text.trim().split(" ");
const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line.trim() !== "");

const verbSets: Readonly<Record<string, string>> = {
  read: "get,list,watch",
  write: "create,delete,deletecollection,patch,update",
  all: "create,delete,deletecollection,get,list,patch,update,watch",
};
/** What every component does that reports. */
const events = "create,patch,update core,events.k8s.io events";

function ruleIn(line: string): PolicyRule {
  const [verbText = "", ...rest] = words(line.trim() === "events" ? events : line);
  const verbs = (verbSets[verbText] ?? verbText).split(",");
  if (rest[0]?.startsWith("/") || rest.length === 1) return { nonResourceURLs: rest, verbs };
  const [groups = "", ...named] = rest;
  const at = named.indexOf("named");
  return {
    apiGroups: groups.split(",").map((group) => (group === "core" ? "" : group)),
    resources: at < 0 ? named : named.slice(0, at),
    ...(at >= 0 && { resourceNames: named.slice(at + 1) }),
    verbs,
  };
}
/** Rules, one a line. */
export const rulesIn = (text: string): readonly PolicyRule[] => linesOf(text).map(ruleIn);

/** A later server may add to these objects, unless the annotation is set to false. */
export const autoupdate = "rbac.authorization.kubernetes.io/autoupdate";
const metadata = (name: string, namespace: string | undefined, labels: object = {}): AccessObject["metadata"] => ({
  name,
  ...(namespace !== undefined && { namespace }),
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
  annotations: { [autoupdate]: "true" },
});

/** A cluster role. */
export const clusterRole = (name: string, rules: readonly PolicyRule[], labels?: object): AccessRow => [
  clusterRoles,
  { metadata: metadata(name, undefined, labels), rules },
];

function subjectIn(text: string): RbacV1Subject {
  const [kind = "", name] = [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)];
  return kind === "account"
    ? { kind: "ServiceAccount", name, namespace: "kube-system" }
    : { apiGroup: rbacGroup, kind: kind === "user" ? "User" : "Group", name };
}

/** A role, and its binding where it has one. */
function rows([heading = "", ...rules]: readonly string[]): readonly AccessRow[] {
  const [path = "", ...rest] = words(heading);
  const [namespace, name] = path.includes("/")
    ? [path.slice(0, path.indexOf("/")), path.slice(path.indexOf("/") + 1)]
    : [undefined, path];
  const bindingName = rest[0] === "as" ? rest[1]! : name;
  const isBound = rest.includes("for");
  const subjects = isBound ? rest.slice(rest.indexOf("for") + 1).map(subjectIn) : [];
  const roleRef = { apiGroup: rbacGroup, kind: namespace === undefined ? "ClusterRole" : "Role", name };
  const role: AccessRow = [
    namespace === undefined ? clusterRoles : roles,
    { metadata: metadata(name, namespace), rules: rules.map(ruleIn) },
  ];
  const binding: AccessRow = [
    namespace === undefined ? clusterRoleBindings : roleBindings,
    { metadata: metadata(bindingName, namespace), roleRef, ...(subjects.length > 0 && { subjects }) },
  ];
  return isBound ? [role, binding] : [role];
}

/** Roles and bindings. */
export function rolesIn(text: string): readonly AccessRow[] {
  const blocks: string[][] = [];
  for (const line of linesOf(text))
    if (line.startsWith(" ")) blocks.at(-1)!.push(line);
    else blocks.push([line]);
  return blocks.flatMap(rows);
}

/** Roles of controllers, each named as its service account, to which it is bound. */
export const controllerRolesIn = (prefix: string, text: string): readonly AccessRow[] =>
  rolesIn(
    linesOf(text)
      .map((line) => (line.startsWith(" ") ? line : `${prefix}${line} for account:${line}`))
      .join("\n"),
  );
