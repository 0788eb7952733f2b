// Every component is killed during writes: acknowledged writes are kept, pods keep running, and the cluster recovers.
import { beforeAll, describe, expect, test } from "vitest";
import type { Deployment, Pod } from "../../api/generated/types.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { pods } from "../../api/core/pods.ts";
import { type Draft, key } from "../../api/meta.ts";
import { isActive, isReady } from "../../api/core/pod/status.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { testCluster, until } from "./cluster.ts";

const { clock } = realWorld(() => {});
const stores = ["etcd", "sqlite"] as const;

const app = (name: string, replicas: number): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: "main", image: "orrery/web:1" }] },
    },
  },
});

/** A writer that records acknowledged writes. */
function writer(cluster: ReturnType<typeof testCluster>) {
  const acknowledged: string[] = [];
  const enough = new AbortController();
  const write = async (): Promise<void> => {
    for (let n = 0; !enough.signal.aborted; n++) {
      const name = `note-${n}`;
      const draft = { kind: "ConfigMap", metadata: { name, namespace: "default" }, data: { n: String(n) } } as const;
      await cluster.client.create(configMaps, draft).then(
        () => acknowledged.push(name),
        // Refused or ambiguous: not acknowledged.
        () => {},
      );
      await clock.sleep(10);
    }
  };
  const done = write();
  return {
    acknowledged,
    async stop() {
      enough.abort();
      await done;
    },
  };
}

describe.each(stores)("a cluster on %s", (store) => {
  const cluster = testCluster(`e2e-fault-${store}`, "--nodes", "1", "--store", store);
  const live = async (name: string): Promise<readonly Pod[]> =>
    (await cluster.client.list(pods, { namespace: "default", labelSelector: `app=${name}` })).items.filter(isActive);
  const settled = (name: string, count: number) =>
    until(`${count} pods of ${name} Ready`, async () => {
      const all = await live(name).catch(() => []);
      return all.length === count && all.every(isReady) && all;
    });
  const containersOf = (all: readonly Pod[]): readonly string[] =>
    all.flatMap((p) => p.status?.containerStatuses?.map((s) => s.containerID ?? "") ?? []).toSorted();
  const kill = (node: string, component: string): Promise<string> =>
    cluster.inNode(node, "sh", "-c", `kill -9 $(cat /run/orrery/${component}/pid)`);

  beforeAll(async () => {
    await cluster.client.create(deployments, app("steady", 2));
    await settled("steady", 2);
  });
  const parts = [
    ...(store === "etcd" ? [["control-plane", "etcd"] as const] : []),
    ["control-plane", "server"] as const,
    ["node-1", "agent"] as const,
    ["node-1", "dockerd"] as const,
  ];
  for (const [node, component] of parts) {
    test(`${component} is killed during writes`, async () => {
      const before = containersOf(await settled("steady", 2));
      const writing = writer(cluster);
      const fresh = `after-${component}`;
      try {
        await until("some writes", async () => writing.acknowledged.length > 20);
        await kill(node, component);
        await until("it is taken up again", () =>
          cluster.client.create(deployments, app(fresh, 1)).then(
            () => true,
            (e: { readonly reason?: string }) => e.reason === "AlreadyExists",
          ),
        );
        await settled(fresh, 1);
        const so = writing.acknowledged.length;
        await until("writes go on", async () => writing.acknowledged.length > so + 20);
      } finally {
        await writing.stop();
      }
      const kept = new Set(
        (await cluster.client.list(configMaps, { namespace: "default" })).items.map((o) => o.metadata.name),
      );
      expect(writing.acknowledged.filter((name) => !kept.has(name))).toEqual([]);
      for (const name of kept)
        if (name.startsWith("note-")) await cluster.client.delete(configMaps, key("default", name));
      // Pods whose kubelet or engine was killed keep running.
      expect(containersOf(await settled("steady", 2))).toEqual(before);
      await cluster.client.delete(deployments, key("default", fresh));
    });
  }

  test("the control plane node is killed, and recovers with its state", async () => {
    const before = containersOf(await settled("steady", 2));
    const writing = writer(cluster);
    await until("some writes", async () => writing.acknowledged.length > 20);
    await cluster.orrery("node", "kill", "control-plane");
    await writing.stop();
    await cluster.orrery("node", "start", "control-plane");
    await until("every acknowledged write is there", async () => {
      const { items } = await cluster.client.list(configMaps, { namespace: "default" });
      const kept = new Set(items.map((o) => o.metadata.name));
      return writing.acknowledged.every((name) => kept.has(name));
    });
    expect(containersOf(await settled("steady", 2))).toEqual(before);
  });
});
