// The default roles and bindings: their text, and what a start changes of those that exist.
import { expect, test } from "vitest";
import type { ClusterRole, PolicyRule } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { key } from "../../../api/meta.ts";
import { aggregatedRules } from "../../../api/rbac/aggregation.ts";
import type { AccessObject } from "../../../api/rbac/reconcile.ts";
import { clusterRoleBindings, roleBindings } from "../../../api/rbac/rolebindings.ts";
import { clusterRoles, roles } from "../../../api/rbac/roles.ts";
import { accessChange, bootstrapAccess, defaultAccess, reconcileAccess } from "../../../apiserver/bootstrap/access.ts";
import { controllerRolesIn, rolesIn } from "../../../apiserver/bootstrap/roles/text.ts";
import { userRoles } from "../../../apiserver/bootstrap/roles/users.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Client } from "../../../machinery/client.ts";
import { ranges } from "../../sim/user.ts";
import { seeded, virtualClock } from "../../sim/virtual-clock.ts";

const rbac = "rbac.authorization.k8s.io" as const;
const server = (): Client =>
  inProcessClient(
    clusterRegistry(memoryStorage(), { clock: virtualClock(), random: seeded(1), log: () => {} }, ranges),
  );

test("a text is roles, their rules and their bindings", () => {
  const rows = rolesIn(`
reader for user:jo group:devs account:bot
  read core,apps pods pods/log
  get /healthz /version/*
  get core secrets named a b
  events
kube-system/keeper as holder for account:bot
  * core leases
alone
`);
  expect(rows.map(([{ kind }, { metadata }]) => [kind, metadata.namespace, metadata.name])).toEqual([
    ["ClusterRole", undefined, "reader"],
    ["ClusterRoleBinding", undefined, "reader"],
    ["Role", "kube-system", "keeper"],
    ["RoleBinding", "kube-system", "holder"],
    ["ClusterRole", undefined, "alone"],
  ]);
  expect(rows[0]![1].rules).toEqual([
    { apiGroups: ["", "apps"], resources: ["pods", "pods/log"], verbs: ["get", "list", "watch"] },
    { nonResourceURLs: ["/healthz", "/version/*"], verbs: ["get"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["a", "b"], verbs: ["get"] },
    { apiGroups: ["", "events.k8s.io"], resources: ["events"], verbs: ["create", "patch", "update"] },
  ]);
  expect(rows[1]![1]).toMatchObject({
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "reader" },
    subjects: [
      { kind: "User", apiGroup: rbac, name: "jo" },
      { kind: "Group", apiGroup: rbac, name: "devs" },
      { kind: "ServiceAccount", namespace: "kube-system", name: "bot" },
    ],
  });
  expect(rows[3]![1].roleRef).toEqual({ apiGroup: rbac, kind: "Role", name: "keeper" });
  const [, bound] = controllerRolesIn("p:", "\na-controller\n  events\n").map(([, object]) => object);
  expect([bound!.metadata.name, bound!.subjects]).toEqual([
    "p:a-controller",
    [{ kind: "ServiceAccount", namespace: "kube-system", name: "a-controller" }],
  ]);
});

test("no name is there twice", () => {
  const names = defaultAccess.map(([{ kind }, { metadata }]) => `${kind} ${metadata.namespace} ${metadata.name}`);
  expect(names.length).toBe(new Set(names).size);
});

test("a start creates all, and the next one writes nothing", async () => {
  const client = server();
  await bootstrapAccess(client);
  const stored = await Promise.all(
    ([roles, clusterRoles, roleBindings, clusterRoleBindings] as readonly ResourceDefinition[]).map(
      async (r) => (await client.list(r)).items.length,
    ),
  );
  expect(stored.reduce((sum, n) => sum + n)).toBe(defaultAccess.length);
  const revision = await client.revision();
  await bootstrapAccess(client);
  expect(await client.revision()).toBe(revision);
});

test("a start restores a rule and a subject, and leaves what was added, and what must not be updated", async () => {
  const client = server();
  await bootstrapAccess(client);
  const own: PolicyRule = { apiGroups: ["a.example"], resources: ["things"], verbs: ["get"] };
  const at = (name: string) => key(undefined, name);
  const [dns, node] = await Promise.all(
    ["system:kube-dns", "system:node-proxier"].map((name) => client.get(clusterRoles, at(name))),
  );
  await client.update(clusterRoles, { ...dns!, rules: [own] });
  const frozen = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
  await client.update(clusterRoles, { ...node!, metadata: { ...node!.metadata, annotations: frozen }, rules: [] });
  const discovery = await client.get(clusterRoleBindings, at("system:discovery"));
  await client.update(clusterRoleBindings, { ...discovery, subjects: [] });
  await reconcileAccess(client);
  expect((await client.get(clusterRoles, at("system:kube-dns"))).rules).toEqual([
    own,
    ...["endpoints", "services"].flatMap((resource) =>
      ["list", "watch"].map((verb) => ({ apiGroups: [""], resources: [resource], verbs: [verb] })),
    ),
  ]);
  expect((await client.get(clusterRoles, at("system:node-proxier"))).rules ?? []).toEqual([]);
  expect((await client.get(clusterRoleBindings, at("system:discovery"))).subjects).toEqual(discovery.subjects);
});

test("another role of a binding is replaced", async () => {
  const client = server();
  await bootstrapAccess(client);
  const at = key(undefined, "system:kube-scheduler");
  await client.delete(clusterRoleBindings, at);
  await client.create(clusterRoleBindings, {
    ...{ kind: "ClusterRoleBinding", metadata: { name: "system:kube-scheduler" } },
    roleRef: { apiGroup: rbac, kind: "ClusterRole", name: "view" },
    subjects: [{ kind: "User", apiGroup: rbac, name: "jo" }],
  });
  await reconcileAccess(client);
  const binding = await client.get(clusterRoleBindings, at);
  expect(binding.roleRef.name).toBe("system:kube-scheduler");
  expect(binding.subjects?.map(({ name }) => name)).toEqual(["jo", "system:kube-scheduler"]);
});

const selector = (label: string) => ({ matchLabels: { [label]: "true" } });
const sum = (...labels: readonly string[]): AccessObject =>
  ({ metadata: { name: "sum" }, aggregationRule: { clusterRoleSelectors: labels.map(selector) } }) as AccessObject;
test.each<[what: string, existing: AccessObject, operation: string, labels: readonly string[]]>([
  ["the same selectors, other rules", { ...sum("a"), rules: [] }, "none", ["a"]],
  ["a selector of an administrator", sum("b"), "update", ["b", "a"]],
])("aggregated role: %s", (_, existing, operation, labels) => {
  const change = accessChange({ ...sum("a"), rules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }] }, existing);
  const { aggregationRule, rules } = change.object as Partial<ClusterRole>;
  expect([change.operation, aggregationRule]).toEqual([operation, { clusterRoleSelectors: labels.map(selector) }]);
  expect(rules ?? []).toEqual([]);
});

test("aggregated roles begin as their controller keeps them", () => {
  const all = userRoles.filter(([{ kind }]) => kind === "ClusterRole").map(([, role]) => role as object as ClusterRole);
  for (const name of ["view", "edit", "admin"]) {
    const role = all.find(({ metadata }) => metadata.name === name)!;
    expect(role.rules?.length).toBeGreaterThan(10);
    expect(aggregatedRules(role, all)).toEqual(role.rules);
  }
});
