// What `auth reconcile` changes of existing roles and bindings; expectations as kubectl 1.36 acts.
import { expect, test } from "vitest";
import type { PolicyRule as Rule, RbacV1Subject as Subject } from "../../../../api/generated/types.ts";
import type { AccessObject, Removal } from "../../../../api/rbac/reconcile.ts";
import { explainedReconciliation as reconciled } from "../../../../cli/generators/rbac-reconcile.ts";

const role = (...rules: readonly Rule[]): AccessObject => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "Role",
  metadata: { name: "r", namespace: "n" },
  rules,
});
const pods = (...verbs: readonly string[]): Rule => ({ apiGroups: [""], resources: ["pods"], verbs });
const named = (...resourceNames: readonly string[]): Rule => ({ ...pods("get"), resourceNames });
const urls = (...nonResourceURLs: readonly string[]): Rule => ({ nonResourceURLs, verbs: ["get"] });
const both: Rule = { apiGroups: [""], resources: ["pods", "services"], verbs: ["get"] };
const anyLog: Rule = { apiGroups: ["*"], resources: ["*/log"], verbs: ["*"] };
const podLog: Rule = { apiGroups: [""], resources: ["pods/log"], verbs: ["get"] };
const removes: Removal = { removeExtraPermissions: true, removeExtraSubjects: true };

test.each<
  [what: string, existing: readonly Rule[], desired: readonly Rule[], removal: Removal, rules: readonly Rule[]]
>([
  ["nothing missing", [pods("get", "list")], [pods("get")], {}, [pods("get", "list")]],
  ["a missing verb", [pods("get")], [pods("get", "watch")], {}, [pods("get"), pods("watch")]],
  ["every verb", [pods("*")], [pods("get")], {}, [pods("*")]],
  ["a missing resource", [pods("get")], [both], {}, [pods("get"), { ...both, resources: ["services"] }]],
  ["a subresource of any resource", [anyLog], [podLog], {}, [anyLog]],
  ["a name of all", [pods("get")], [named("a")], {}, [pods("get")]],
  ["all names of one", [named("a")], [pods("get")], {}, [named("a"), pods("get")]],
  ["another name", [named("a")], [named("a", "b")], {}, [named("a"), named("b")]],
  ["a path below a pattern", [urls("/logs/*")], [urls("/logs/a", "/x")], {}, [urls("/logs/*"), urls("/x")]],
  ["extra rules removed", [pods("get", "list")], [pods("get")], removes, [pods("get")]],
])("role: %s", (_, existing, desired, removal, rules) => {
  const { operation, object } = reconciled(role(...desired), role(...existing), removal);
  expect(object.rules).toEqual(rules);
  expect(operation === "none").toBe(JSON.stringify(existing) === JSON.stringify(rules));
});

const user = (name: string): Subject => ({ kind: "User", apiGroup: "rbac.authorization.k8s.io", name });
const binding = (to: string, ...subjects: readonly Subject[]): AccessObject => ({
  ...role(),
  kind: "RoleBinding",
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: to },
  subjects,
});
test.each<[what: string, desired: AccessObject, removal: Removal, operation: string, subjects: readonly Subject[]]>([
  ["nothing missing", binding("r", user("a")), {}, "none", [user("a"), user("b")]],
  ["a missing subject", binding("r", user("c")), {}, "update", [user("a"), user("b"), user("c")]],
  ["extra subjects removed", binding("r", user("a")), removes, "update", [user("a")]],
  ["another role", binding("s", user("a")), {}, "recreate", [user("a"), user("b")]],
])("binding: %s", (_, desired, removal, operation, subjects) => {
  const reconciliation = reconciled(desired, binding("r", user("a"), user("b")), removal);
  expect([reconciliation.operation, reconciliation.object.subjects]).toEqual([operation, subjects]);
});

test("labels are added, and those that exist stay", () => {
  const labelled = (labels: Readonly<Record<string, string>>) => ({ ...role(), metadata: { name: "r", labels } });
  const { object, lines } = reconciled(labelled({ a: "new", b: "new" }), labelled({ a: "old" }), {});
  expect([object.metadata.labels, lines]).toEqual([{ a: "old", b: "new" }, ["\treconciliation required update"]]);
});

test("what is missing is created and reported", () => {
  const { operation, lines } = reconciled(role(pods("get", "list")), undefined, {});
  expect([operation, lines]).toEqual([
    "create",
    [
      "\treconciliation required create",
      "\tmissing rules added:",
      "\t\t{Verbs:[get list] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}",
    ],
  ]);
});
