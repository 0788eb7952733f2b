// RBAC: what rules allow, by a table; decisions from the index equal a plain reading of all bindings; who covers what.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PolicyRule } from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import type { RequestAttributes, RequestInfo, User } from "../../../apiserver/authorization/authorizer.ts";
import { decide } from "../../../apiserver/authorization/rbac/decide.ts";
import { type Grants, grants } from "../../../apiserver/authorization/rbac/grants.ts";
import { uncovered } from "../../../api/rbac/coverage.ts";
import { ruleAllows } from "../../../apiserver/authorization/rbac/rules.ts";

const pods: PolicyRule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const getPod: RequestInfo = { verb: "get", group: "", resource: "pods", name: "a" };

describe("what a rule allows", () => {
  test.each<[string, PolicyRule, RequestInfo, boolean]>([
    ["the same", pods, getPod, true],
    ["another verb", pods, { ...getPod, verb: "list" }, false],
    ["another group", pods, { ...getPod, group: "apps" }, false],
    ["any verb", { ...pods, verbs: ["*"] }, { ...getPod, verb: "anything" }, true],
    ["any group", { ...pods, apiGroups: ["*"] }, { ...getPod, group: "apps" }, true],
    ["no subresource is meant by the resource", pods, { ...getPod, subresource: "log" }, false],
    ["a subresource", { ...pods, resources: ["pods/log"] }, { ...getPod, subresource: "log" }, true],
    ["the subresource of all", { ...pods, resources: ["*/log"] }, { ...getPod, subresource: "log" }, true],
    ["the subresource of all is not the resource", { ...pods, resources: ["*/log"] }, getPod, false],
    ["all resources and subresources", { ...pods, resources: ["*"] }, { ...getPod, subresource: "log" }, true],
    ["a name", { ...pods, resourceNames: ["a"] }, getPod, true],
    ["another name", { ...pods, resourceNames: ["b"] }, getPod, false],
    ["a name, and a request without", { ...pods, resourceNames: ["a"] }, { ...getPod, name: "" }, false],
    ["a name is no pattern", { ...pods, resourceNames: ["*"] }, getPod, false],
    ["a path", { nonResourceURLs: ["/healthz"], verbs: ["get"] }, { verb: "get", path: "/healthz" }, true],
    ["a path below", { nonResourceURLs: ["/healthz"], verbs: ["get"] }, { verb: "get", path: "/healthz/x" }, false],
    ["paths by beginning", { nonResourceURLs: ["/apis/*"], verbs: ["get"] }, { verb: "get", path: "/apis/x" }, true],
    [
      "not the path before the star",
      { nonResourceURLs: ["/apis/*"], verbs: ["get"] },
      { verb: "get", path: "/apis" },
      false,
    ],
    ["all paths", { nonResourceURLs: ["*"], verbs: ["get"] }, { verb: "get", path: "/metrics" }, true],
    ["paths are no resources", { nonResourceURLs: ["*"], verbs: ["*"] }, getPod, false],
    ["resources are no paths", { ...pods, resources: ["*"] }, { verb: "get", path: "/metrics" }, false],
  ])("%s", (_, rule, request, allowed) => {
    expect(ruleAllows(rule, request)).toBe(allowed);
  });
});

const some = <T>(...values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.subarray([...values], { minLength: 1, maxLength: 2 }) as fc.Arbitrary<T[]>;
const resourceRule = fc.record({
  apiGroups: some("", "apps", "*"),
  resources: some("pods", "pods/log", "secrets", "*", "*/log"),
  verbs: some("get", "list", "*"),
  resourceNames: fc.oneof(fc.constant<string[]>([]), some("a", "b")),
});
const urlRule = fc.record({ nonResourceURLs: some("/metrics", "/apis/*", "*"), verbs: some("get", "*") });
const rule: fc.Arbitrary<PolicyRule> = fc.oneof({ weight: 4, arbitrary: resourceRule }, urlRule);
const request: fc.Arbitrary<RequestInfo> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      verb: fc.constantFrom("get", "list", "delete"),
      group: fc.constantFrom("", "apps"),
      resource: fc.constantFrom("pods", "secrets"),
      subresource: fc.constantFrom("", "log"),
      namespace: fc.constantFrom("", "x", "y"),
      name: fc.constantFrom("", "a", "b"),
    }),
  },
  fc.record({ verb: fc.constantFrom("get", "post"), path: fc.constantFrom("/metrics", "/apis/apps", "/version") }),
);

interface Step {
  readonly what: "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding";
  readonly name: string;
  readonly namespace: string;
  readonly isGone: boolean;
  readonly rules: readonly PolicyRule[];
  readonly refersTo: { readonly kind: "Role" | "ClusterRole"; readonly name: string };
  readonly subjects: readonly object[];
}
const subject = fc.constantFrom<object>(
  { kind: "User", name: "ann" },
  { kind: "Group", name: "devs" },
  { kind: "ServiceAccount", name: "bot", namespace: "x" },
  { kind: "ServiceAccount", name: "bot" },
);
const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
  name: fc.constantFrom("p", "q"),
  namespace: fc.constantFrom("x", "y"),
  isGone: fc.constantFrom(false, false, false, true),
  rules: fc.array(rule, { minLength: 1, maxLength: 2 }),
  refersTo: fc.record({ kind: fc.constantFrom("Role", "ClusterRole"), name: fc.constantFrom("p", "q") }),
  subjects: fc.array(subject, { maxLength: 2 }),
});
const user = fc.constantFrom<User>(
  { name: "ann", groups: ["system:authenticated"] },
  { name: "bob", groups: ["devs"] },
  { name: "system:serviceaccount:x:bot", groups: [] },
  { name: "system:serviceaccount:y:bot", groups: ["devs"] },
  { name: "eve", groups: [] },
);

/** Applies the steps, and returns the objects that exist at the end. */
function applied(all: Grants, steps: readonly Step[]): ReadonlyMap<string, Step> {
  const present = new Map<string, Step>();
  for (const s of steps) {
    const namespace = s.what.startsWith("Cluster") ? undefined : s.namespace;
    const metadata = { name: s.name, ...(namespace !== undefined && { namespace }) };
    const k = keyOf({ metadata });
    const roleRef = s.what === "ClusterRoleBinding" ? { ...s.refersTo, kind: "ClusterRole" } : s.refersTo;
    if (s.what === "Role" || s.what === "ClusterRole")
      all.setRole(s.what, k, s.isGone ? undefined : ({ metadata, rules: s.rules } as never));
    else all.setBinding(k, s.isGone ? undefined : ({ metadata, roleRef, subjects: s.subjects } as never));
    if (s.isGone) present.delete(`${s.what} ${k}`);
    else present.set(`${s.what} ${k}`, s);
  }
  return present;
}

/** Reads every binding, as the documentation says it. */
function isAllowed(present: ReadonlyMap<string, Step>, { user: by, ...info }: RequestAttributes): boolean {
  const isOne = (s: Step): boolean =>
    s.subjects.some((o) => {
      const { kind, name, namespace } = o as { kind: string; name: string; namespace?: string };
      if (kind === "Group") return by.groups.includes(name);
      if (kind === "User") return by.name === name;
      const at = namespace ?? (s.what === "RoleBinding" ? s.namespace : "");
      return by.name === `system:serviceaccount:${at}:${name}`;
    });
  return [...present.values()].some((s) => {
    const isWide = s.what === "ClusterRoleBinding";
    if (!isWide && (s.what !== "RoleBinding" || info.namespace !== s.namespace)) return false;
    if (!isOne(s)) return false;
    const isOwn = !isWide && s.refersTo.kind === "Role";
    const id = isOwn ? `Role ${key(s.namespace, s.refersTo.name)}` : `ClusterRole ${key(undefined, s.refersTo.name)}`;
    return present.get(id)?.rules.some((r) => ruleAllows(r, info)) === true;
  });
}

test("a decision from the index equals a plain reading of all bindings", () => {
  const seen = { allowed: 0, denied: 0 };
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 10, maxLength: 40 }),
      fc.array(fc.tuple(user, request)),
      (steps, requests) => {
        const all = grants();
        const present = applied(all, steps);
        for (const [by, info] of requests) {
          const expected = isAllowed(present, { ...info, user: by });
          expect(decide(all, { ...info, user: by }).allowed).toBe(expected);
          seen[expected ? "allowed" : "denied"]++;
        }
      },
    ),
    { numRuns: 2_000 },
  );
  expect(seen.allowed).toBeGreaterThan(500);
  expect(seen.denied).toBeGreaterThan(500);
});

test("rules that are covered allow nothing that the covering ones do not", () => {
  let covered = 0;
  fc.assert(
    fc.property(fc.array(rule), fc.array(rule, { minLength: 1 }), fc.array(request), (owned, requested, infos) => {
      if (uncovered(owned, requested).length > 0) return;
      covered++;
      for (const info of infos)
        if (requested.some((r) => ruleAllows(r, info))) expect(owned.some((r) => ruleAllows(r, info))).toBe(true);
    }),
    { numRuns: 10_000 },
  );
  expect(covered).toBeGreaterThan(100);
});

test.each<[string, PolicyRule[], PolicyRule[], number]>([
  ["the same", [pods], [pods], 0],
  ["nothing", [], [pods], 1],
  ["one of two verbs", [pods], [{ ...pods, verbs: ["get", "list"] }], 1],
  ["all of everything", [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }], [pods], 0],
  ["a name of all", [pods], [{ ...pods, resourceNames: ["a"] }], 0],
  ["all of a name", [{ ...pods, resourceNames: ["a"] }], [pods], 1],
  ["by two rules together", [pods, { ...pods, verbs: ["list"] }], [{ ...pods, verbs: ["get", "list"] }], 0],
  ["paths below", [{ nonResourceURLs: ["/a/*"], verbs: ["get"] }], [{ nonResourceURLs: ["/a/b"], verbs: ["get"] }], 0],
])("covers: %s", (_, owned, requested, left) => {
  expect(uncovered(owned, requested)).toHaveLength(left);
});
