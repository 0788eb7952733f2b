// Garbage collection over all stored kinds, also those that no other controller watches.
import { expect, test } from "vitest";
import { jobs } from "../../../api/batch/jobs.ts";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { configMaps } from "../../../api/core/configmaps.ts";
import { limitRanges } from "../../../api/core/limitranges.ts";
import { define, type ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, key, ownedBy } from "../../../api/meta.ts";
import { networkPolicies } from "../../../api/networking/networkpolicies.ts";
import { storageClasses } from "../../../api/storage/storageclasses.ts";
import { kindRegistry } from "../../../machinery/kind-registry.ts";
import { server, whileControlled } from "./running.ts";

interface Toy extends ApiObject {
  readonly kind: "Toy";
}
const toys = define<Toy>({
  ...{ group: "play.example.com", version: "v1", kind: "Toy", plural: "toys", scope: "Namespaced" },
  published: "com.example.play.v1.Toy",
  schema: { type: "object", properties: { metadata: configMaps.schema.properties!["metadata"]! } },
});
const anyKind = (r: unknown): ResourceDefinition => r as ResourceDefinition;
const meta = (name: string, ...owners: readonly ApiObject[]) => ({
  ...{ name, namespace: "default" },
  ...(owners.length > 0 && { ownerReferences: owners.map(ownedBy) }),
});
const template = { spec: { restartPolicy: "Never" as const, containers: [{ name: "c", image: "i" }] } };

test("garbage: dependents of any kind are deleted with an owner of any kind", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, {}, async () => {
    const policy = await client.create(networkPolicies, {
      ...{ kind: "NetworkPolicy", metadata: meta("owner"), spec: { podSelector: {} } },
    });
    const job = await client.create(jobs, { kind: "Job", metadata: meta("job"), spec: { template } });
    await client.create(configMaps, { kind: "ConfigMap", metadata: meta("of-policy", policy) });
    await client.create(limitRanges, { kind: "LimitRange", metadata: meta("of-job", job), spec: { limits: [] } });
    await client.create(limitRanges, { kind: "LimitRange", metadata: meta("free"), spec: { limits: [] } });
    await pass(5);
    expect((await client.get(configMaps, key("default", "of-policy"))).metadata.name).toBe("of-policy");
    await client.delete(networkPolicies, key("default", "owner"));
    await client.delete(jobs, key("default", "job"), { propagationPolicy: "Background" });
    await pass(5);
    const left = (await client.list(configMaps, { namespace: "default" })).items.map((c) => c.metadata.name);
    expect(left).toEqual(["kube-root-ca.crt"]);
    expect((await client.list(limitRanges)).items.map((l) => l.metadata.name)).toEqual(["free"]);
  });
});

test("garbage: foreground deletion waits for dependents, orphaning keeps them", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, {}, async () => {
    const policy = (name: string) =>
      client.create(networkPolicies, { kind: "NetworkPolicy", metadata: meta(name), spec: { podSelector: {} } });
    const [waits, leaves] = [await policy("waits"), await policy("leaves")];
    const held = { ...meta("child", waits), finalizers: ["example.com/held"] };
    const child = await client.create(limitRanges, { kind: "LimitRange", metadata: held, spec: { limits: [] } });
    await client.create(limitRanges, { kind: "LimitRange", metadata: meta("left", leaves), spec: { limits: [] } });
    await pass(5);
    await client.delete(networkPolicies, key("default", "waits"), { propagationPolicy: "Foreground" });
    await client.delete(networkPolicies, key("default", "leaves"), { propagationPolicy: "Orphan" });
    await pass(5);
    expect((await client.list(networkPolicies)).items.map((p) => p.metadata.name)).toEqual(["waits"]);
    const [first, second] = (await client.list(limitRanges)).items;
    expect(first?.metadata.deletionTimestamp).toBeDefined();
    expect(second?.metadata.ownerReferences ?? []).toEqual([]);
    const finalizers = { metadata: { finalizers: null } };
    await client.patch(limitRanges, key("default", child.metadata.name), { type: "merge", patch: finalizers });
    await pass(5);
    expect((await client.list(networkPolicies)).items).toEqual([]);
  });
});

test("garbage: a cluster-scoped object whose owner has a namespace is never collected", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, {}, async () => {
    const policy = await client.create(networkPolicies, {
      ...{ kind: "NetworkPolicy", metadata: meta("owner"), spec: { podSelector: {} } },
    });
    const metadata = { name: "fast", ownerReferences: [ownedBy(policy)] };
    await client.create(storageClasses, { kind: "StorageClass", metadata, provisioner: "example.com/disk" });
    await client.delete(networkPolicies, key("default", "owner"));
    await pass(5);
    expect((await client.list(storageClasses)).items).toHaveLength(1);
  });
});

test("garbage: kinds can be added and removed while the collector runs", async () => {
  const running = await server(kindRegistry([...builtinKinds, anyKind(toys)]));
  const { client, pass } = running;
  // The server serves a kind before the collector has discovered it.
  const kinds = kindRegistry(builtinKinds);
  const made = (name: string): Promise<Toy> => client.create(toys, { kind: "Toy", metadata: meta(name) });
  await whileControlled(running, { kinds }, async () => {
    const early = await made("early");
    await client.create(configMaps, { kind: "ConfigMap", metadata: meta("of-early", early) });
    await pass(5);
    // The kind of its owner is unknown, so it is kept.
    await client.delete(toys, key("default", "early"));
    await pass(5);
    expect((await client.get(configMaps, key("default", "of-early"))).metadata.name).toBe("of-early");
    kinds.add(anyKind(toys));
    const owner = await made("owner");
    const child = { ...meta("child"), ownerReferences: [ownedBy(owner)] };
    await client.create(toys, { kind: "Toy", metadata: child });
    await pass(5);
    await client.delete(toys, key("default", "owner"));
    await pass(5);
    expect((await client.list(toys)).items).toEqual([]);
    kinds.remove({ group: "play.example.com", version: "v1", plural: "toys" });
    await client.create(toys, { kind: "Toy", metadata: { ...child, name: "late" } });
    await pass(5);
    expect((await client.list(toys)).items).toHaveLength(1);
  });
});
