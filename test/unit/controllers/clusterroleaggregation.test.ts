// Aggregated cluster roles: which rules a role has, and which changes matter.
import { expect, test } from "vitest";
import type { ClusterRole, PolicyRule } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { clusterRoles } from "../../../api/rbac/roles.ts";
import { decide } from "../../../controllers/clusterroleaggregation/controller.ts";
import { server, whileControlled } from "./running.ts";
import { asStored } from "./world.ts";

const rule = (resource: string): PolicyRule => ({ apiGroups: [""], resources: [resource], verbs: ["get"] });
const role = (name: string, labels: Readonly<Record<string, string>>, ...rules: readonly PolicyRule[]): ClusterRole =>
  asStored({ kind: "ClusterRole", metadata: { name, labels }, rules });
const selecting = (name: string, ...selectors: readonly object[]): ClusterRole =>
  asStored({ kind: "ClusterRole", metadata: { name }, aggregationRule: { clusterRoleSelectors: selectors } });
const [a, b] = [{ matchLabels: { a: "true" } }, { matchLabels: { b: "true" } }];
const [pods, nodes, jobs] = ["pods", "nodes", "jobs"].map(rule) as [PolicyRule, PolicyRule, PolicyRule];

test.each<[what: string, sum: ClusterRole, others: readonly ClusterRole[], rules: readonly PolicyRule[] | undefined]>([
  ["nothing selected", selecting("sum", a), [role("x", { b: "true" }, pods)], undefined],
  [
    "by name, each rule once",
    selecting("sum", a),
    [role("y", { a: "true" }, nodes, pods), role("x", { a: "true" }, pods)],
    [pods, nodes],
  ],
  [
    "several selectors",
    selecting("sum", b, a),
    [role("x", { a: "true" }, pods), role("y", { b: "true" }, jobs)],
    [jobs, pods],
  ],
  ["not its own", { ...selecting("sum", {}), rules: [nodes] }, [role("x", {}, pods)], [pods]],
  ["as it should be", { ...selecting("sum", a), rules: [pods] }, [role("x", { a: "true" }, pods)], undefined],
  ["a role less", { ...selecting("sum", a), rules: [pods, nodes] }, [role("x", { a: "true" }, pods)], [pods]],
  ["the last role less", { ...selecting("sum", a), rules: [pods] }, [], []],
])("%s", (_, sum, others, rules) => {
  const { actions } = decide({ role: sum, roles: [sum, ...others] });
  expect(actions.map((action) => (action.do === "patch" ? action.patch : action))).toEqual(
    rules === undefined
      ? []
      : [
          {
            type: "apply",
            object: { apiVersion: sum.apiVersion, kind: "ClusterRole", metadata: { name: "sum" }, rules },
            fieldManager: "clusterrole-aggregation-controller",
            force: true,
          },
        ],
  );
});

test("a role that begins and ceases to be selected", async () => {
  const running = await server();
  const { client, pass } = running;
  const rulesOf = async (): Promise<readonly PolicyRule[]> =>
    (await client.get(clusterRoles, key(undefined, "sum"))).rules ?? [];
  await whileControlled(running, {}, async () => {
    await client.create(clusterRoles, {
      kind: "ClusterRole",
      metadata: { name: "sum" },
      aggregationRule: { clusterRoleSelectors: [a] },
      rules: [],
    });
    await client.create(clusterRoles, {
      kind: "ClusterRole",
      metadata: { name: "x", labels: { a: "true" } },
      rules: [pods],
    });
    await pass(2);
    expect(await rulesOf()).toEqual([pods]);
    const x = await client.get(clusterRoles, key(undefined, "x"));
    await client.update(clusterRoles, { ...x, metadata: { ...x.metadata, labels: {} } });
    await pass(2);
    expect(await rulesOf()).toEqual([]);
  });
});
