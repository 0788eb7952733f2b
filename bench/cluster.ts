// A real cluster for the duration of a benchmark, and functions that wait for its state.
import { join } from "node:path";
import type { Pod } from "../api/generated/types.ts";
import { pods } from "../api/core/pods.ts";
import { type ApiObject, type Draft, key } from "../api/meta.ts";
import { isReady } from "../api/core/pod/status.ts";
import { readAccess } from "../cli/client/access.ts";
import { run } from "../cli/cluster/subprocess.ts";
import type { Client } from "../machinery/client.ts";
import { httpClient } from "../machinery/http-client.ts";
import { realWorld } from "../machinery/real-world.ts";

const launcher = join(import.meta.dirname, "../orrery");
const world = realWorld(() => {});

export interface BenchCluster {
  readonly name: string;
  readonly client: Client;
  orrery(...args: readonly string[]): Promise<string>;
  inNode(node: string, ...command: readonly string[]): Promise<string>;
}

export const orreryOn =
  (name: string) =>
  (...args: readonly string[]): Promise<string> =>
    run([launcher, ...args, "--name", name], { timeoutMs: 300_000 });

/** Creates a cluster, passes it to `use` and removes it afterwards, also after errors. */
export async function withCluster(
  name: string,
  nodes: number,
  use: (cluster: BenchCluster) => Promise<void>,
): Promise<void> {
  const orrery = orreryOn(name);
  const stop = new AbortController();
  await orrery("down");
  try {
    await orrery("up", "--nodes", String(nodes));
    const { server: url, ca, cert, key: clientKey } = await readAccess(name);
    const client = httpClient({ url, ca, cert, key: clientKey, userAgent: "orrery-bench" }, world, stop.signal);
    await use({
      name,
      client,
      orrery,
      inNode: (node, ...command) => run(["docker", "exec", node, ...command], { timeoutMs: 120_000 }),
    });
  } finally {
    stop.abort();
    await orrery("down");
  }
}

/** Polls every 10 ms until `look` returns a value. Throws after the time limit. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const deadline = world.clock.now() + withinMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (world.clock.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
    await world.clock.sleep(10);
  }
}

/** Watches a pod and resolves when it meets the condition. */
export async function podBecomes(client: Client, name: string, condition: (pod: Pod) => boolean): Promise<Pod> {
  const stop = new AbortController();
  const selection = { namespace: "default", fieldSelector: `metadata.name=${name}` };
  try {
    const { items, revision } = await client.list(pods, selection);
    if (items[0] && condition(items[0])) return items[0];
    for await (const event of client.watch(pods, { ...selection, from: revision }, stop.signal))
      if (event.type === "applied" && condition(event.object)) return event.object;
  } finally {
    stop.abort();
  }
  throw new Error(`the watch on ${name} ended`);
}

export const readyPods = async (client: Client, app: string): Promise<readonly Pod[]> =>
  (await client.list(pods, { namespace: "default", labelSelector: `app=${app}` })).items.filter(
    (p) => p.metadata.deletionTimestamp === undefined && isReady(p),
  );

/** The draft of a pod that sleeps, optionally bound to a node. */
export const sleeper = (name: string, nodeName?: string, more: object = {}): Draft<Pod> => ({
  kind: "Pod",
  metadata: { name, namespace: "default" },
  spec: {
    ...(nodeName === undefined ? {} : { nodeName }),
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "main", image: "orrery/busybox:1", command: ["sleep", "infinity"] }],
    ...more,
  },
});

export const keyIn = (o: ApiObject) => key(o.metadata.namespace, o.metadata.name);
