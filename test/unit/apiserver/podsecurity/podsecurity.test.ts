// Pod security through the registry: what is refused, what is warned of, and what an audit event is told.
import { expect, test } from "vitest";
import { deployments } from "../../../../api/apps/deployments.ts";
import { namespaces } from "../../../../api/core/namespaces.ts";
import { pods } from "../../../../api/core/pods.ts";
import { serviceAccounts } from "../../../../api/core/serviceaccounts.ts";
import { runtimeClasses } from "../../../../api/node/runtimeclasses.ts";
import type { Pod } from "../../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../../api/kinds.ts";
import { type ApiObject, type Draft, key } from "../../../../api/meta.ts";
import type { PodSecurityOptions } from "../../../../apiserver/admission/podsecurity/configuration.ts";
import { onlyLabels } from "../../../../apiserver/admission/podsecurity/configuration.ts";
import { warningsOfPods } from "../../../../apiserver/admission/podsecurity/namespaces.ts";
import { clusterRegistry } from "../../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../../apiserver/storage/log.ts";
import type { WritableSubresource } from "../../../../machinery/client.ts";
import { realWorld } from "../../../../machinery/real-world.ts";

const prefix = "pod-security.kubernetes.io/";
const prefixed = (labels: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(labels).map(([name, value]) => [prefix + name, value]));

/** A server with a namespace that has these labels, whose writes return what a client and an audit event see of them. */
async function serverWith(labels: Readonly<Record<string, string>>, podSecurity: PodSecurityOptions = onlyLabels) {
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const world = realWorld(() => {});
  const registry = clusterRegistry(memoryStorage(), world, { ...ranges, podSecurity });
  const client = inProcessClient(registry);
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "n", labels: prefixed(labels) }, spec: {} });
  await client.create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace: "n" } });
  const observed = async (write: (by: object) => Promise<unknown>) => {
    const warnings: string[] = [];
    const annotations: Record<string, string> = {};
    const error = await write({
      warn: (sentence: string) => warnings.push(sentence),
      annotate: (name: string, value: string) => (annotations[name.replace(prefix, "")] = value),
      user: { name: "ann", groups: [] },
    }).then(
      () => undefined,
      (e: Error) => e.message,
    );
    return { error, warnings, annotations };
  };
  const create = (r: object, object: object) =>
    observed((by) => registry.create(r as ResourceDefinition, object as Draft<ApiObject>, by));
  const change = (r: object, name: string, edit: (object: never) => object, subresource?: WritableSubresource) =>
    observed((by) => {
      const target = { r: r as ResourceDefinition, key: key(r === namespaces ? undefined : "n", name), subresource };
      return registry.change(target, (object) => edit(object as never) as ApiObject, by);
    });
  return { client, create, change };
}

const spec = (fields: object = {}) => ({
  containers: [{ name: "c", image: "i", securityContext: { privileged: true } }],
  ...fields,
});
const pod = (name = "p", fields: object = {}) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "n" },
  spec: spec(fields),
});
const deployment = {
  ...{ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "d", namespace: "n" } },
  spec: { selector: { matchLabels: { a: "b" } }, template: { metadata: { labels: { a: "b" } }, spec: spec() } },
};
const violated =
  'PodSecurity "baseline:latest": privileged (container "c" must not set securityContext.privileged=true)';

test("a namespace without labels restricts nothing", async () => {
  const { create } = await serverWith({});
  expect(await create(pods, pod())).toEqual({
    ...{ error: undefined, warnings: [] },
    annotations: { "enforce-policy": "privileged:latest" },
  });
  expect(await create(deployments, deployment)).toEqual({ error: undefined, warnings: [], annotations: {} });
});

test("what violates the enforced level is refused, and what makes such pods is warned of", async () => {
  const { create } = await serverWith({ enforce: "baseline", audit: "baseline" });
  const annotations = { "audit-violations": `would violate ${violated}` };
  expect(await create(pods, pod())).toEqual({
    error: `pods "p" is forbidden: violates ${violated}`,
    warnings: [],
    annotations: { ...annotations, "enforce-policy": "baseline:latest" },
  });
  expect(await create(deployments, deployment)).toEqual({
    ...{ error: undefined, warnings: [`would violate ${violated}`] },
    annotations,
  });
});

test("a level that is only warned of refuses nothing", async () => {
  const { create } = await serverWith({ warn: "baseline", "warn-version": "v1.20" });
  expect(await create(pods, pod())).toEqual({
    ...{ error: undefined, warnings: [`would violate ${violated.replace("latest", "v1.20")}`] },
    annotations: { "enforce-policy": "privileged:latest" },
  });
});

test("updates are checked when containers or their images change", async () => {
  const { create, change } = await serverWith({});
  await create(pods, pod());
  const tighten = { metadata: { labels: prefixed({ enforce: "baseline" }) } };
  await change(namespaces, "n", (n: ApiObject) => ({ ...n, metadata: { ...n.metadata, ...tighten.metadata } }));
  const labelled = await change(pods, "p", (p: Pod) => ({ ...p, metadata: { ...p.metadata, labels: { a: "b" } } }));
  expect(labelled).toEqual({ error: undefined, warnings: [], annotations: {} });
  const imaged = await change(pods, "p", (p: Pod) => ({
    ...p,
    spec: { ...p.spec, containers: [{ ...p.spec.containers[0]!, image: "other" }] },
  }));
  expect(imaged.error).toBe(`pods "p" is forbidden: violates ${violated}`);
  const status = await change(pods, "p", (p: Pod) => ({ ...p, status: { ...p.status, phase: "Running" } }), "status");
  expect(status.error).toBeUndefined();
});

test("an ephemeral container is checked as the others are", async () => {
  const { create, change } = await serverWith({ enforce: "baseline" });
  await create(pods, { ...pod(), spec: { containers: [{ name: "c", image: "i" }] } });
  const debug = { name: "debug", image: "i", securityContext: { privileged: true } };
  const added = (container: object) =>
    change(
      pods,
      "p",
      (p: Pod) => ({ ...p, spec: { ...p.spec, ephemeralContainers: [container] } }),
      "ephemeralcontainers",
    );
  expect((await added(debug)).error).toBe(`pods "p" is forbidden: violates ${violated.replace('"c"', '"debug"')}`);
  expect((await added({ name: "debug", image: "i" })).error).toBeUndefined();
});

const labelled = (labels: Readonly<Record<string, string>>) => (n: ApiObject) => ({
  ...n,
  metadata: { ...n.metadata, labels: prefixed(labels) },
});

test("labels that cannot be read are refused, and those that were there may stay", async () => {
  const { client, create, change } = await serverWith({ audit: "restricted" });
  const message =
    'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "none": must be one of privileged, baseline, restricted';
  const metadata = { name: "m", labels: prefixed({ enforce: "none" }) };
  expect((await create(namespaces, { apiVersion: "v1", kind: "Namespace", metadata, spec: {} })).error).toBe(
    `Namespace "m" is invalid: ${message}`,
  );
  expect((await change(namespaces, "n", labelled({ enforce: "none" }))).error).toBe(
    `Namespace "n" is invalid: ${message}`,
  );
  const { metadata: stays } = await client.get(namespaces, key(undefined, "n"));
  expect(stays.labels).toMatchObject(prefixed({ audit: "restricted" }));
});

test("a stricter level warns of the pods that violate it", async () => {
  const { create, change } = await serverWith({});
  for (const name of ["p2", "p1", "p3"]) await create(pods, pod(name));
  await create(pods, pod("host", { hostPID: true }));
  await create(pods, { ...pod("fine"), spec: { containers: [{ name: "c", image: "i" }] } });
  expect(await change(namespaces, "n", labelled({ enforce: "baseline" }))).toEqual({
    error: undefined,
    warnings: [
      'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
      "host: host namespaces, privileged",
      "p1 (and 2 other pods): privileged",
    ],
    annotations: {},
  });
  expect((await change(namespaces, "n", labelled({ enforce: "restricted" }))).warnings).not.toEqual([]);
  // Of a level that is not stricter, nothing new is to be said.
  expect((await change(namespaces, "n", labelled({ enforce: "baseline", audit: "restricted" }))).warnings).toEqual([]);
  expect((await change(namespaces, "n", labelled({ enforce: "privileged" }))).warnings).toEqual([]);
});

test("one pod of each controller is checked before the others, and 3,000 at most", async () => {
  const owned = (name: string, uid: string): Pod =>
    ({ ...pod(name), metadata: { name, ownerReferences: [{ controller: true, uid }] } }) as unknown as Pod;
  const copies = Array.from({ length: 3000 }, (_, i) => owned(`a${i}`, "a"));
  const about = {
    namespace: "n",
    enforce: { level: "baseline", version: "latest" },
    exemptClasses: ["sandbox"],
  } as const;
  const sandboxed = pod("s", { hostIPC: true, runtimeClassName: "sandbox" }) as unknown as Pod;
  const last = { ...owned("z", "b"), spec: spec({ hostPID: true }) } as unknown as Pod;
  expect(await warningsOfPods([...copies, sandboxed, last], about, realWorld(() => {}).clock)).toEqual([
    "new PodSecurity enforce level only checked against the first 3000 of 3001 existing pods",
    'existing pods in namespace "n" violate the new PodSecurity enforce level "baseline:latest"',
    "a0 (and 2998 other pods): privileged",
    "z: host namespaces, privileged",
  ]);
});

test("namespaces, users and runtime classes can be exempt", async () => {
  const defaults = { ...onlyLabels.defaults, enforce: { level: "baseline", version: "latest" } } as const;
  const nobody = { namespaces: [], usernames: [], runtimeClasses: [] };
  const server = (exemptions: object) => serverWith({}, { defaults, exemptions: { ...nobody, ...exemptions } });
  expect((await (await server({})).create(pods, pod())).error).toBe(`pods "p" is forbidden: violates ${violated}`);
  for (const [exemptions, exempt] of [
    [{ namespaces: ["n"] }, "namespace"],
    [{ usernames: ["ann"] }, "user"],
  ] as const)
    expect(await (await server(exemptions)).create(pods, pod())).toEqual({
      ...{ error: undefined, warnings: [] },
      annotations: { exempt },
    });
  const sandboxed = await server({ runtimeClasses: ["sandbox"] });
  await sandboxed.client.create(runtimeClasses, { kind: "RuntimeClass", metadata: { name: "sandbox" }, handler: "h" });
  expect((await sandboxed.create(pods, pod("other"))).error).toBe(`pods "other" is forbidden: violates ${violated}`);
  expect(await sandboxed.create(pods, pod("p", { runtimeClassName: "sandbox" }))).toEqual({
    ...{ error: undefined, warnings: [] },
    annotations: { exempt: "runtimeClass" },
  });
  const { change } = await server({ namespaces: ["n"] });
  expect((await change(namespaces, "n", labelled({ enforce: "restricted", audit: "baseline" }))).warnings).toEqual([
    'namespace "n" is exempt from Pod Security, and the policy (enforce=restricted:latest, audit=baseline:latest) will be ignored',
  ]);
});
