// Pods that no other component deletes, in a running cluster.
import { expect, test } from "vitest";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import { server, whileControlled } from "./running.ts";

const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
const metadata = { name: "p", namespace: "default" };

test("pod collection: pods of a node that does not exist are deleted after forty seconds, and not before", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, {}, async () => {
    await client.create(pods, { kind: "Pod", metadata, spec });
    await pass(38);
    expect((await client.get(pods, key("default", "p"))).status?.phase).toBe("Pending");
    await pass(5);
    expect((await client.list(pods)).items).toEqual([]);
  });
});

test("pod collection: a node recreated in time keeps its pods, and the time restarts at its next deletion", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, {}, async () => {
    await client.create(pods, { kind: "Pod", metadata, spec });
    await pass(30);
    await client.create(nodes, { kind: "Node", metadata: { name: "n" }, spec: {} });
    await pass(60);
    await client.delete(nodes, key(undefined, "n"));
    await pass(30);
    expect((await client.list(pods)).items).toHaveLength(1);
    await pass(15);
    expect((await client.list(pods)).items).toEqual([]);
  });
});

const taint = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" } as const;
test("pod collection: pods of a node that is marked out of service are deleted while it is not ready", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, {}, async () => {
    await client.create(nodes, { kind: "Node", metadata: { name: "n" }, spec: {} });
    await client.create(pods, { kind: "Pod", metadata, spec });
    await client.delete(pods, key("default", "p"));
    await pass(5);
    expect((await client.list(pods)).items).toHaveLength(1);
    const node = await client.get(nodes, key(undefined, "n"));
    await client.update(nodes, { ...node, spec: { ...node.spec, taints: [taint] } });
    await pass(5);
    expect((await client.list(pods)).items).toEqual([]);
  });
});

test("node ranges: every node gets a distinct range", async () => {
  const running = await server();
  const { client, pass } = running;
  await whileControlled(running, { clusterCidr: "10.0.0.0/21" }, async () => {
    const made = async (names: readonly string[]): Promise<void> => {
      for (const name of names) await client.create(nodes, { kind: "Node", metadata: { name }, spec: {} });
      await pass(5);
    };
    const ranges = async (): Promise<readonly string[]> =>
      (await client.list(nodes)).items.map((n) => `${n.metadata.name} ${n.spec.podCIDR}`);
    await made(["a", "b", "c"]);
    expect(await ranges()).toEqual(["a 10.0.1.0/24", "b 10.0.2.0/24", "c 10.0.3.0/24"]);
    await client.delete(nodes, key(undefined, "b"));
    await pass(5);
    await made(["d", "e"]);
    expect(await ranges()).toEqual(["a 10.0.1.0/24", "c 10.0.3.0/24", "d 10.0.2.0/24", "e 10.0.4.0/24"]);
  });
});
