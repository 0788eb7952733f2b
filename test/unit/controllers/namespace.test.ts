// Deletion of namespaces: conditions, and the order in which contents are deleted.
import { expect, test } from "vitest";
import { configMaps } from "../../../api/core/configmaps.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import { jobs } from "../../../api/batch/jobs.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { pods } from "../../../api/core/pods.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import { key } from "../../../api/meta.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import { deletionConditions, type Remaining, namespaceController } from "../../../controllers/namespace/controller.ts";
import type { Views } from "../../../machinery/controller.ts";
import { informer } from "../../../machinery/informer.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { now } from "./world.ts";

const rest = (r: unknown, count: number, finalizers: string[] = [], failure?: string): Remaining => ({
  resource: r as ResourceDefinition,
  count,
  finalizers,
  ...(failure !== undefined && { failure }),
});
const table = [
  ["no remaining objects", [rest(pods, 0)], {}],
  [
    "remaining pods",
    [rest(pods, 2)],
    { NamespaceContentRemaining: "Some resources are remaining: pods. has 2 resource instances" },
  ],
  [
    "several remaining kinds, sorted",
    [rest(deployments, 1), rest(configMaps, 3)],
    {
      NamespaceContentRemaining:
        "Some resources are remaining: configmaps. has 3 resource instances, deployments.apps has 1 resource instances",
    },
  ],
  [
    "remaining finalizers",
    [rest(configMaps, 2, ["b.com/x", "a.com/x", "b.com/x"])],
    {
      NamespaceContentRemaining: "Some resources are remaining: configmaps. has 2 resource instances",
      NamespaceFinalizersRemaining:
        "Some content in the namespace has finalizers remaining: a.com/x in 1 resource instances, b.com/x in 2 resource instances",
    },
  ],
  [
    "a failed deletion",
    [rest(configMaps, 1, [], "no")],
    {
      NamespaceDeletionContentFailure: "Failed to delete all resource types, 1 remaining: no",
      NamespaceContentRemaining: "Some resources are remaining: configmaps. has 1 resource instances",
    },
  ],
] as const;
for (const [what, remaining, unmet] of table)
  test(`namespace conditions: ${what}`, () => {
    const conditions = deletionConditions(undefined, remaining, now);
    expect(conditions.map((c) => c.type)).toEqual([
      "NamespaceDeletionDiscoveryFailure",
      "NamespaceDeletionGroupVersionParsingFailure",
      "NamespaceDeletionContentFailure",
      "NamespaceContentRemaining",
      "NamespaceFinalizersRemaining",
    ]);
    const wrong = conditions.filter((c) => c.status === "True").map((c) => [c.type, c.message]);
    expect(Object.fromEntries(wrong)).toEqual(unmet);
    expect(deletionConditions(conditions, remaining, now)).toBe(conditions);
  });

test("namespace conditions: Kubernetes' messages for an empty namespace", () =>
  expect(deletionConditions(undefined, [], now).map((c) => [c.reason, c.message])).toEqual([
    ["ResourcesDiscovered", "All resources successfully discovered"],
    ["ParsedGroupVersions", "All legacy kube types successfully parsed"],
    ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
    ["ContentRemoved", "All content successfully removed"],
    ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
  ]));

const inDefault = (name: string, finalizers: string[] = []) => ({ name, namespace: "gone", finalizers });
const template = { spec: { restartPolicy: "Never" as const, containers: [{ name: "c", image: "i" }] } };

/** A cluster with a terminating namespace, and single steps of the controller. */
async function stage(signal: AbortSignal) {
  const world = realWorld(() => {});
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  const view = informer(client, namespaces, world);
  void view.run(signal).catch(() => {});
  const views = { of: () => view.lister } as unknown as Views;
  const kinds = kindRegistry([pods, jobs] as unknown as readonly ResourceDefinition[]);
  const controller = namespaceController(kinds, client, world);
  // Kinds that are added later are deleted as well.
  kinds.add(configMaps as unknown as ResourceDefinition);
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "gone" }, spec: {} });
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: inDefault("default") });
  const step = async () => {
    await view.caughtUp(await client.revision(namespaces), signal);
    return controller.reconcile(key(undefined, "gone"), views, signal);
  };
  return { client, step };
}

test("namespace: pods are deleted first, then other objects, then the namespace", async () => {
  const stop = new AbortController();
  const { client, step } = await stage(stop.signal);
  const { spec } = template;
  await client.create(pods, { kind: "Pod", metadata: inDefault("web", ["a.com/held"]), spec });
  await client.create(configMaps, { kind: "ConfigMap", metadata: inDefault("settings") });
  await client.create(jobs, { kind: "Job", metadata: inDefault("work"), spec: { template } });
  await client.delete(namespaces, key(undefined, "gone"));

  expect(await step()).toEqual({ requeueAfter: 500, because: ["1 pods are left"] });
  expect((await client.get(pods, key("gone", "web"))).metadata.deletionTimestamp).toBeDefined();
  expect((await client.get(configMaps, key("gone", "settings"))).metadata.deletionTimestamp).toBeUndefined();
  const held = await client.get(namespaces, key(undefined, "gone"));
  expect(held.status?.conditions?.filter((c) => c.status === "True").map((c) => c.type)).toEqual([
    "NamespaceContentRemaining",
    "NamespaceFinalizersRemaining",
  ]);

  await client.patch(pods, key("gone", "web"), { type: "merge", patch: { metadata: { finalizers: null } } });
  expect(await step()).toMatchObject({ done: ["finalize namespaces gone"] });
  for (const r of [configMaps, jobs] as const) expect((await client.list(r as typeof configMaps)).items).toEqual([]);
  expect((await client.list(namespaces)).items).toEqual([]);
  stop.abort();
});

test("namespace: finalizers of others are kept", async () => {
  const stop = new AbortController();
  const { client, step } = await stage(stop.signal);
  const born = await client.get(namespaces, key(undefined, "gone"));
  const finalizers = ["kubernetes", "a.com/else"];
  await client.update(namespaces, { ...born, spec: { finalizers } }, "finalize");
  await client.delete(namespaces, key(undefined, "gone"));
  expect(await step()).toMatchObject({ done: ["finalize namespaces gone"] });
  expect(await step()).toBeUndefined();
  expect((await client.get(namespaces, key(undefined, "gone"))).spec.finalizers).toEqual(["a.com/else"]);
  stop.abort();
});
