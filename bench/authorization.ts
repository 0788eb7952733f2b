// The time of one RBAC decision among 1,000 roles and 5,000 bindings.
import type { ClusterRole, RoleBinding } from "../api/generated/types.ts";
import { keyOf } from "../api/meta.ts";
import type { RequestAttributes } from "../apiserver/authorization/authorizer.ts";
import { decide } from "../apiserver/authorization/rbac/decide.ts";
import { grants } from "../apiserver/authorization/rbac/grants.ts";
import { ruleAllows } from "../apiserver/authorization/rbac/rules.ts";
import { report } from "./report.ts";

const [roleCount, bindingCount, decisions] = [1_000, 5_000, 200_000];
const rule = (i: number) => ({ apiGroups: [""], resources: [`kind-${i % 50}`, "pods"], verbs: ["get", "list"] });
const all = grants();
const naive: { readonly user: string; readonly namespace: string; readonly role: number }[] = [];
for (let i = 0; i < roleCount; i++) {
  const role = { metadata: { name: `role-${i}` }, rules: [rule(i)] } as unknown as ClusterRole;
  all.setRole("ClusterRole", keyOf(role), role);
}
for (let i = 0; i < bindingCount; i++) {
  const [user, namespace] = [`user-${i % 500}`, `ns-${i % 100}`];
  const binding = {
    metadata: { name: `binding-${i}`, namespace },
    roleRef: { kind: "ClusterRole", name: `role-${i % roleCount}` },
    subjects: [{ kind: "User", name: user }],
  } as unknown as RoleBinding;
  all.setBinding(keyOf(binding), binding);
  naive.push({ user, namespace, role: i % roleCount });
}
const request = (i: number): RequestAttributes => ({
  user: { name: `user-${i % 500}`, groups: ["team", "system:authenticated"] },
  ...{ verb: i % 2 === 0 ? "get" : "delete", group: "", resource: "pods", namespace: `ns-${i % 100}` },
});
const requests = Array.from({ length: 1_000 }, (_, i) => request(i));

/** Microseconds of each of some decisions. */
function each(count: number, decideOne: (request: RequestAttributes) => boolean): number {
  let allowed = 0;
  const began = performance.now();
  for (let i = 0; i < count; i++) if (decideOne(requests[i % requests.length]!)) allowed++;
  const took = performance.now() - began;
  if (allowed === 0 || allowed === count) throw new Error("the requests have to be both allowed and denied");
  return (1000 * took) / count;
}
const readAll = ({ user, namespace, ...info }: RequestAttributes): boolean =>
  naive.some((b) => b.user === user.name && b.namespace === namespace && ruleAllows(rule(b.role), info));
each(decisions, (r) => decide(all, r).allowed);
report({
  what: `an RBAC decision among ${roleCount} roles and ${bindingCount} bindings`,
  value: each(decisions, (r) => decide(all, r).allowed),
  unit: "µs",
  beside: { what: "reading all bindings", value: each(2_000, readAll), unit: "µs" },
  budget: { atMost: 10 },
});
