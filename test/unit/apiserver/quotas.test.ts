// Quotas through the registry: exact with concurrent writes of two servers.
import fc from "fast-check";
import { expect, test } from "vitest";
import { pods } from "../../../api/core/pods.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { resourceQuotas } from "../../../api/core/resourcequotas.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import { services } from "../../../api/core/services.ts";
import { ipAddresses } from "../../../api/networking/servicecidrs.ts";
import { hasReason } from "../../../api/errors.ts";
import { key } from "../../../api/meta.ts";
import { deviceClasses } from "../../../api/resource/deviceclasses.ts";
import { resourceClaims } from "../../../api/resource/resourceclaims.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Storage } from "../../../apiserver/storage/storage.ts";
import type { Client } from "../../../machinery/client.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { seeded } from "../../sim/virtual-clock.ts";

const ranges = { serviceCidr: "10.96.0.0/24", nodePorts: { from: 30_000, to: 32_767 } };
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A storage whose responses take some turns of the event loop, so that requests interleave. */
function delayed(inner: Storage, random: () => number): Storage {
  const later = async <T>(call: () => Promise<T>): Promise<T> => {
    for (let i = Math.floor(random() * 3); i > 0; i--) await tick();
    const result = await call();
    for (let i = Math.floor(random() * 3); i > 0; i--) await tick();
    return result;
  };
  return {
    ...inner,
    get: (k) => later(() => inner.get(k)),
    present: () => later(() => inner.present()),
    commit: (...parts) => later(() => inner.commit(...parts)),
  };
}

/** Two servers over one storage, with a namespace. */
async function servers(seed: number): Promise<readonly [Client, Client]> {
  const { next } = seeded(seed);
  const storage = delayed(memoryStorage(), next);
  const client = (): Client =>
    inProcessClient(
      clusterRegistry(
        storage,
        realWorld(() => {}),
        ranges,
      ),
    );
  const both = [client(), client()] as const;
  await both[0].create(namespaces, { kind: "Namespace", metadata: { name: "team" }, spec: {} });
  await both[0].create(serviceAccounts, { kind: "ServiceAccount", metadata: { name: "default", namespace: "team" } });
  return both;
}
const quotaKey = key("team", "q");
async function createQuota(client: Client, hard: Readonly<Record<string, string>>): Promise<void> {
  const metadata = { name: "q", namespace: "team" };
  const quota = await client.create(resourceQuotas, { kind: "ResourceQuota", metadata, spec: { hard } });
  const used = Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
  await client.update(resourceQuotas, { ...quota, status: { hard, used } }, "status");
}
const isRefused = (e: unknown): undefined => {
  if (!hasReason(e, "Forbidden")) throw e;
  return undefined;
};
const createPod = (client: Client, name: string): Promise<unknown> =>
  client.create(pods, {
    ...{ kind: "Pod", metadata: { name, namespace: "team" } },
    spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "300m" } } }] },
  });

test("concurrent creates: as many pods exist as the quota allows, and its usage is that number", async () => {
  const both = await servers(1);
  await createQuota(both[0], { pods: "10", "requests.cpu": "2" });
  const created = await Promise.all(
    Array.from({ length: 40 }, (_, i) => createPod(both[i % 2]!, `p${i}`).catch(isRefused)),
  );
  expect(created.filter((pod) => pod !== undefined)).toHaveLength(6);
  expect((await both[1].list(pods, { namespace: "team" })).items).toHaveLength(6);
  expect((await both[1].get(resourceQuotas, quotaKey)).status?.used).toEqual({ pods: "6", "requests.cpu": "1800m" });
});

test("the usage is exact after concurrent creates, completions and deletions", async () => {
  const step = fc.record({ do: fc.constantFrom("create", "end", "delete"), pod: fc.nat(5), server: fc.nat(1) });
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.array(fc.array(step, { maxLength: 6 }), { maxLength: 6 }),
      async (seed, rounds) => {
        const both = await servers(seed);
        await createQuota(both[0], { pods: "3", "count/pods": "4" });
        for (const round of rounds) await Promise.all(round.map((s) => act(both[s.server]!, s.do, `p${s.pod}`)));
        const { items } = await both[0].list(pods, { namespace: "team" });
        const running = items.filter((p) => p.status?.phase !== "Succeeded");
        const { used } = (await both[1].get(resourceQuotas, quotaKey)).status!;
        expect(used).toEqual({ pods: `${running.length}`, "count/pods": `${items.length}` });
        expect([running.length <= 3, items.length <= 4]).toEqual([true, true]);
      },
    ),
    { numRuns: 60 },
  );
});
async function act(client: Client, what: string, name: string): Promise<void> {
  const ignore = (e: unknown): void => {
    if (!hasReason(e, "Forbidden", "NotFound", "AlreadyExists", "Conflict")) throw e;
  };
  if (what === "create") return void (await createPod(client, name).catch(ignore));
  if (what === "delete") return void (await client.delete(pods, key("team", name)).catch(ignore));
  const patch = { type: "merge", patch: { status: { phase: "Succeeded" } } } as const;
  await client.patch(pods, key("team", name), patch, "status").catch(ignore);
}

test("concurrent requests of one cluster IP: one service gets it, and it is free after its deletion", async () => {
  const both = await servers(2);
  const create = (client: Client, name: string): Promise<unknown> =>
    client.create(services, {
      ...{ kind: "Service", metadata: { name, namespace: "team" } },
      spec: { clusterIP: "10.96.0.77", ports: [{ port: 80 }] },
    });
  const results = await Promise.allSettled(both.map((client, i) => create(client, `s${i}`)));
  expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  const refused = results.find((r) => r.status === "rejected")?.reason as Error;
  expect(refused.message).toContain("failed to allocate IP 10.96.0.77: provided IP is already allocated");
  const [address] = (await both[0].list(ipAddresses)).items;
  const winner = results[0]!.status === "fulfilled" ? "s0" : "s1";
  expect(address?.spec?.parentRef).toEqual({ group: "", resource: "services", namespace: "team", name: winner });
  await both[1].delete(services, key("team", winner));
  expect((await both[0].list(ipAddresses)).items).toEqual([]);
  await create(both[1], "again");
});

test("a claim that was made for a pod is covered by it from its creation to its deletion", async () => {
  const [client] = await servers(1);
  const gpu = "requests.example.com/gpu";
  await createQuota(client, { [gpu]: "3" });
  const deviceClass = {
    kind: "DeviceClass",
    metadata: { name: "gpus" },
    spec: { extendedResourceName: "example.com/gpu" },
  };
  await client.create(deviceClasses, deviceClass as never);
  const amounts = { "example.com/gpu": "2" };
  const container = { name: "c", image: "a:1", resources: { requests: amounts, limits: amounts } };
  const metadata = { name: "p", namespace: "team" };
  const pod = await client.create(pods, { kind: "Pod", metadata, spec: { containers: [container] } });
  const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: pod.metadata.uid, controller: true };
  const claim = (name: string, count: number, more: object) =>
    client.create(resourceClaims, {
      kind: "ResourceClaim",
      metadata: { name, namespace: "team", ...more },
      spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpus", count } }] } },
    } as never);
  const used = async () => (await client.get(resourceQuotas, quotaKey)).status?.used?.[gpu];
  const annotations = { "resource.kubernetes.io/extended-resource-claim": "true" };
  const madeFor = { annotations, ownerReferences: [owner] };
  await claim("own", 2, madeFor);
  expect(await used()).toBe("2");
  await expect(claim("second", 2, madeFor)).rejects.toThrow(`exceeded quota: q, requested: ${gpu}=2, used: ${gpu}=2`);
  await claim("plain", 1, {});
  expect(await used()).toBe("3");
  await client.delete(pods, key("team", "p"), { gracePeriodSeconds: 0 });
  await client.delete(resourceClaims, key("team", "own"));
  expect(await used()).toBe("1");
});
