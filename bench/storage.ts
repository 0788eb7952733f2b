// The time from a claim to a running pod that uses it, beside a pod without a claim, and the time until many claims are
// bound: through the API, the binder, the provisioner and the driver of a real cluster.
import { persistentVolumeClaims } from "../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../api/core/persistentvolumes.ts";
import { pods } from "../api/core/pods.ts";
import type { PersistentVolumeClaim } from "../api/generated/types.ts";
import type { Draft } from "../api/meta.ts";
import type { Client } from "../machinery/client.ts";
import { type BenchCluster, keyIn, podBecomes, sleeper, until, withCluster } from "./cluster.ts";
import { median, report } from "./report.ts";

const runs = Number(process.argv[2] ?? 10);
const manyClaims = 500;

const claim = (name: string, storageClassName: string): Draft<PersistentVolumeClaim> => ({
  kind: "PersistentVolumeClaim",
  metadata: { name, namespace: "default" },
  spec: { storageClassName, accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } } },
});

const noVolumes = (client: Client): Promise<true> =>
  until("the volumes are deleted", async () => (await client.list(persistentVolumes)).items.length === 0 && true);

/** Longer than the kubelet waits before it replaces the sandboxes that pods took. */
const quietMs = 2_000;

/** Until the last pod has left the node, and its sandbox is replaced, so that every pod starts on a node at rest. */
async function nodeAtRest({ name, inNode }: BenchCluster): Promise<void> {
  let [containers, since] = ["", performance.now()];
  await until("the node is at rest", async () => {
    const current = await inNode(`${name}-node-1`, "docker", "ps", "--quiet");
    if (current !== containers) [containers, since] = [current, performance.now()];
    return performance.now() - since > quietMs;
  });
}

/** From the creation of a pod, with or without a claim, to its container running. */
async function podStart({ client }: BenchCluster, podName: string, storageClass?: string): Promise<number> {
  const pod = sleeper(podName);
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: podName } }];
  const containers = pod.spec.containers.map((c) => ({ ...c, volumeMounts: [{ name: "data", mountPath: "/data" }] }));
  const startedAt = performance.now();
  if (storageClass) await client.create(persistentVolumeClaims, claim(podName, storageClass));
  const created = await client.create(
    pods,
    storageClass ? { ...pod, spec: { ...pod.spec, containers, volumes } } : pod,
  );
  await podBecomes(client, podName, (p) => p.status?.phase === "Running");
  const ms = performance.now() - startedAt;
  await client.delete(pods, keyIn(created), { gracePeriodSeconds: 0 });
  if (storageClass) await client.delete(persistentVolumeClaims, keyIn(created));
  await until("the pod is deleted", async () => (await client.list(pods, { namespace: "default" })).items.length === 0);
  await noVolumes(client);
  return ms;
}

async function bindMany({ client }: BenchCluster): Promise<number> {
  const startedAt = performance.now();
  const names = Array.from({ length: manyClaims }, (_, i) => `many-${i}`);
  await Promise.all(names.map((name) => client.create(persistentVolumeClaims, claim(name, "shared"))));
  await until(
    "all claims are bound",
    async () => {
      const { items } = await client.list(persistentVolumeClaims, { namespace: "default" });
      return items.every(({ status }) => status?.phase === "Bound");
    },
    120_000,
  );
  return (performance.now() - startedAt) / 1000;
}

await withCluster("bench-storage", 1, async (cluster) => {
  const plain: number[] = [];
  const local: number[] = [];
  const shared: number[] = [];
  for (let i = -1; i < runs; i++)
    for (const [all, name, storageClass] of [
      [plain, "plain"],
      [local, "local", "local"],
      [shared, "shared", "shared"],
    ] as const) {
      await nodeAtRest(cluster);
      const ms = await podStart(cluster, `${name}-${i + 1}`, storageClass);
      // The first round fills caches.
      if (i >= 0) all.push(ms);
    }
  const beside = { what: "a pod without a claim", value: median(plain), unit: "ms" } as const;
  for (const [name, all] of Object.entries({ local, shared })) {
    process.stdout.write(`       claim of class ${name} to running pod: ${median(all).toFixed(0)} ms\n`);
    const value = median(all) / beside.value;
    report({ what: `claim of class ${name} to running pod`, value, unit: "x", beside, budget: { atMost: 1.3 } });
  }
  const seconds = await bindMany(cluster);
  report({ what: `${manyClaims} claims bound`, value: seconds, unit: "s", budget: { atMost: 20 } });
});
