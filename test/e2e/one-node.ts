// A cluster of one node, with access through a client, plain requests, and commands in the node.
import { readFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { parse } from "yaml";
import type { Pod, PodSpec } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { type Draft, key } from "../../api/meta.ts";
import { kubeconfigPath } from "../../cli/paths.ts";
import { run } from "../../cli/cluster/subprocess.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";

const launcher = join(import.meta.dirname, "../../orrery");
const world = realWorld(() => {});

interface Access {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}
function access(name: string): Access {
  const config = parse(readFileSync(kubeconfigPath(name), "utf8"));
  const text = (base64: string): string => Buffer.from(base64, "base64").toString();
  const { cluster } = config.clusters[0];
  const { user } = config.users[0];
  return {
    url: cluster.server,
    ca: text(cluster["certificate-authority-data"]),
    cert: text(user["client-certificate-data"]),
    key: text(user["client-key-data"]),
  };
}

/** A cluster of one node and helpers for pods. */
export interface OneNode {
  readonly client: Client;
  readonly clock: typeof world.clock;
  /** The response of a GET as text. */
  text(path: string): Promise<string>;
  inNode(...command: readonly string[]): Promise<string>;
  create(name: string, spec: Partial<PodSpec>): Promise<void>;
  find(name: string): Promise<Pod | undefined>;
  until(name: string, isSo: (p: Pod | undefined) => boolean): Promise<Pod>;
  log(name: string, query?: string): Promise<string>;
  remove(name: string): Promise<void>;
  down(): Promise<void>;
}

const get = (a: Access, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const { ca, cert, key: secret } = a;
    https
      .get(`${a.url}${path}`, { ca, cert, key: secret }, (response) => {
        let text = "";
        response.on("data", (d) => {
          text += d;
        });
        response.on("end", () => resolve(text));
      })
      .on("error", reject);
  });

/** Starts the cluster; `down` removes it. */
export async function oneNode(name: string): Promise<OneNode> {
  const orrery = (...args: readonly string[]): Promise<string> => run([launcher, ...args, "--name", name]);
  await orrery("down");
  await orrery("up", "--nodes", "1");
  const a = access(name);
  const stop = new AbortController();
  const client = httpClient({ ...a, userAgent: "e2e" }, world, stop.signal);
  const find = (pod: string): Promise<Pod | undefined> => client.get(pods, key("default", pod)).catch(() => undefined);
  return {
    client,
    clock: world.clock,
    text: (path) => get(a, path),
    inNode: (...command) => run(["docker", "exec", `${name}-node-1`, ...command]),
    async create(pod, spec) {
      const fullSpec = { terminationGracePeriodSeconds: 1, ...spec };
      await client.create(pods, {
        metadata: { name: pod, namespace: "default" },
        spec: fullSpec,
      } as unknown as Draft<Pod>);
    },
    find,
    async until(pod, isSo) {
      for (let tries = 0; ; tries++) {
        const seen = await find(pod);
        if (isSo(seen)) return seen!;
        if (tries > 600)
          throw new Error(`the condition was not met within a minute: ${JSON.stringify(seen?.status, null, 1)}`);
        await world.clock.sleep(100);
      }
    },
    log: (pod, query = "") => get(a, `/api/v1/namespaces/default/pods/${pod}/log?${query}`),
    async remove(pod) {
      await client.delete(pods, key("default", pod), { gracePeriodSeconds: 0 });
    },
    async down() {
      stop.abort();
      await orrery("down");
    },
  };
}
