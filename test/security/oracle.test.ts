// Seeded cases against an oracle that reads the rules naively, one after the other: no wrong allow, no wrong deny.
import { expect, test } from "vitest";
import type { PolicyRule } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import {
  type Authorizer,
  firstAllowing,
  groupsAllowed,
  privilegedGroup,
  type RequestAttributes,
  type User,
} from "../../apiserver/authorization/authorizer.ts";
import { decide } from "../../apiserver/authorization/rbac/decide.ts";
import { grants } from "../../apiserver/authorization/rbac/grants.ts";
import type { Random } from "../../machinery/world.ts";
import { seeded } from "../sim/virtual-clock.ts";

const seed = Number(process.env["SEED"] ?? 1);
const cases = Number(process.env["CASES"] ?? 100_000);
const requestsPerCluster = 200;

interface Subject {
  readonly kind: "User" | "Group" | "ServiceAccount";
  readonly name: string;
  readonly namespace?: string;
}
interface Role {
  readonly kind: "Role" | "ClusterRole";
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly PolicyRule[];
}
interface Binding {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly roleRef: { readonly kind: Role["kind"]; readonly name: string };
  readonly subjects: readonly Subject[];
}
interface Cluster {
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
}

/** Draws values. */
const drawing = (random: Random) => {
  const below = (n: number): number => Math.floor(random.next() * n);
  const one = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const some = <T>(values: readonly T[], most = 3): T[] => Array.from({ length: 1 + below(most) }, () => one(values));
  return { below, one, some };
};
type Draw = ReturnType<typeof drawing>;

const namespaces = ["default", "kube-system", "shop"];
const names = ["a", "b", "*", ""];
const verbs = ["get", "list", "watch", "create", "delete", "impersonate", "*"];
const groups = ["", "apps", "rbac.authorization.k8s.io", "*"];
const resources = ["pods", "secrets", "deployments", "roles", "*"];
const subresources = ["log", "exec", "status", "*"];
const paths = ["/", "/metrics", "/api", "/apis/apps", "/healthz", "/healthz/etcd"];
const userNames = ["ann", "bob", "system:serviceaccount:shop:bot", "system:serviceaccount:default:bot", "*"];
const groupNames = ["devs", "system:authenticated", "system:serviceaccounts:shop", "*"];

const drawRule = ({ below, one, some }: Draw): PolicyRule => {
  if (below(5) === 0)
    return { nonResourceURLs: some([...paths, "*", "/apis/*", "/healthz*", "/metrics/*"]), verbs: some(verbs) };
  const named = below(4) === 0 ? { resourceNames: some(names) } : {};
  const resource = (): string => (below(3) === 0 ? `${one(resources)}/${one([...subresources, ""])}` : one(resources));
  return {
    apiGroups: some(groups),
    resources: Array.from({ length: 1 + below(3) }, resource),
    verbs: some(verbs),
    ...named,
  };
};
const drawSubject = ({ one, below }: Draw): Subject => {
  const kind = one(["User", "Group", "ServiceAccount"] as const);
  if (kind === "User") return { kind, name: one(userNames) };
  if (kind === "Group") return { kind, name: one(groupNames) };
  return { kind, name: one(["bot", "ann"]), ...(below(3) > 0 && { namespace: one(namespaces) }) };
};
const drawCluster = (draw: Draw): Cluster => {
  const { below, one } = draw;
  const placed = (isWide: boolean, name: string) => ({ name, ...(!isWide && { namespace: one(namespaces) }) });
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: below(most) }, make);
  return {
    roles: many(18, () => {
      const kind = one(["Role", "ClusterRole"] as const);
      return {
        kind,
        metadata: placed(kind === "ClusterRole", one(["p", "q", "r"])),
        rules: many(4, () => drawRule(draw)),
      };
    }),
    bindings: many(30, () => {
      const isWide = below(2) === 0;
      return {
        metadata: placed(isWide, one(["p", "q", "r", "s"])),
        roleRef: { kind: isWide ? "ClusterRole" : one(["Role", "ClusterRole"] as const), name: one(["p", "q", "r"]) },
        subjects: many(3, () => drawSubject(draw)),
      };
    }),
  };
};
const drawRequest = ({ below, one, some }: Draw): RequestAttributes => {
  const user: User = { name: one(userNames), groups: below(50) === 0 ? ["system:masters"] : some(groupNames) };
  if (below(6) === 0) return { user, verb: one(verbs), path: one(paths) };
  return {
    ...{ user, verb: one(verbs), group: one(groups), version: "v1", resource: one(resources) },
    ...(below(3) === 0 && { subresource: one(subresources) }),
    ...(below(3) > 0 && { namespace: one(namespaces) }),
    ...(below(2) === 0 && { name: one(names) }),
  };
};

/** As the reference of RBAC says it, rule by rule. */
const ruleGives = (rule: PolicyRule, request: RequestAttributes): boolean => {
  const has = (list: readonly string[] | undefined, value: string): boolean =>
    (list ?? []).some((entry) => entry === "*" || entry === value);
  if (!has(rule.verbs, request.verb)) return false;
  if (request.resource === undefined)
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === request.path || (url.endsWith("*") && request.path!.startsWith(url.slice(0, -1))),
    );
  const full = request.subresource ? `${request.resource}/${request.subresource}` : request.resource;
  const isResource = (rule.resources ?? []).some(
    (entry) => entry === "*" || entry === full || (request.subresource && entry === `*/${request.subresource}`),
  );
  const isNamed = (rule.resourceNames ?? []).length === 0 || rule.resourceNames!.includes(request.name ?? "");
  return has(rule.apiGroups, request.group ?? "") && isResource && isNamed;
};
const isSubject = (subject: Subject, binding: Binding, user: User): boolean => {
  if (subject.kind === "User") return subject.name === user.name;
  if (subject.kind === "Group") return user.groups.includes(subject.name);
  const namespace = subject.namespace ?? binding.metadata.namespace;
  return namespace !== undefined && user.name === `system:serviceaccount:${namespace}:${subject.name}`;
};
const isGiven = ({ roles, bindings }: Cluster, request: RequestAttributes): boolean =>
  request.user.groups.includes("system:masters") ||
  bindings.some(({ metadata: { namespace }, roleRef, subjects, ...rest }) => {
    const binding = { metadata: { namespace }, roleRef, subjects, ...rest } as Binding;
    if (namespace !== undefined && namespace !== request.namespace) return false;
    if (!subjects.some((subject) => isSubject(subject, binding, request.user))) return false;
    const role = roles.find(
      ({ kind, metadata }) =>
        kind === roleRef.kind &&
        metadata.name === roleRef.name &&
        (kind === "ClusterRole" || metadata.namespace === namespace),
    );
    return (role?.rules ?? []).some((rule) => ruleGives(rule, request));
  });

/** Of objects of one kind with the same key, the last: a cluster has one. */
const distinct = <T extends { readonly metadata: object }>(objects: readonly T[], kindOf: (o: T) => string): T[] => [
  ...new Map(objects.map((o) => [`${kindOf(o)} ${keyOf(o as never)}`, o])).values(),
];

/** The authorizer, which has seen the objects come in any order, and some others come and go. */
function authorizerOf({ roles, bindings }: Cluster, draw: Draw): Authorizer {
  const all = grants();
  const gone = drawCluster(draw);
  for (const role of gone.roles) all.setRole(role.kind, keyOf(role as never), role as never);
  for (const binding of gone.bindings) all.setBinding(keyOf(binding as never), binding as never);
  for (const role of gone.roles) all.setRole(role.kind, keyOf(role as never), undefined);
  for (const binding of bindings) all.setBinding(keyOf(binding as never), binding as never);
  for (const binding of gone.bindings)
    if (!bindings.some((b) => keyOf(b as never) === keyOf(binding as never)))
      all.setBinding(keyOf(binding as never), undefined);
  for (const role of roles) all.setRole(role.kind, keyOf(role as never), role as never);
  return firstAllowing(groupsAllowed(privilegedGroup), { decide: (request) => decide(all, request) });
}

test(`${cases} requests from seed ${seed}: allowed exactly where a naive reading of the rules allows`, () => {
  const draw = drawing(seeded(seed));
  const tally = { allowed: 0, denied: 0 };
  for (let done = 0; done < cases; done += requestsPerCluster) {
    const drawn = drawCluster(draw);
    const cluster = {
      roles: distinct(drawn.roles, ({ kind }) => kind),
      bindings: distinct(drawn.bindings, () => ""),
    };
    const authorizer = authorizerOf(cluster, draw);
    for (let i = 0; i < requestsPerCluster; i++) {
      const request = drawRequest(draw);
      const { allowed } = authorizer.decide(request) as { readonly allowed: boolean };
      if (allowed !== isGiven(cluster, request))
        throw new Error(`${allowed ? "wrong allow" : "wrong deny"}: ${JSON.stringify({ request, cluster }, null, 1)}`);
      tally[allowed ? "allowed" : "denied"]++;
    }
  }
  // Both happen often enough to mean something.
  expect(Math.min(tally.allowed, tally.denied)).toBeGreaterThan(cases / 20);
});
