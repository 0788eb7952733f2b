// A kubelet on a free loopback port for a listening server, with a simulated engine.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Pod, pods } from "../../api/core/pods.ts";
import { type Draft, key } from "../../api/meta.ts";
import { kubelet } from "../../kubelet/kubelet.ts";
import { kubeletAccess } from "../../kubelet/server/access.ts";
import { serveKubelet } from "../../kubelet/server/kubelet-server.ts";
import { realWorld } from "../../machinery/real-world.ts";
import type { World } from "../../machinery/world.ts";
import { simulatedRuntime } from "../sim/runtime.ts";
import type { TestServer } from "./listening.ts";
import { testSubPaths } from "./sub-paths.ts";

const world = realWorld(() => {});
/** The only image of the engine. Its commands are in `test/sim/shell.ts`. */
export const image = "sim/shell:1";

type Containers = Pod["spec"]["containers"];
/** A node called `n1`, and pods on it. */
export interface SimulatedNode {
  /** Creates a pod with these containers, by default on this node. */
  create(
    name: string,
    containers: Containers,
    more?: { readonly namespace?: string; readonly nodeName?: string },
  ): Promise<void>;
  until(name: string, isSo: (pod: Pod) => boolean, namespace?: string): Promise<void>;
  ready(name: string, namespace?: string): Promise<void>;
  close(): Promise<void>;
}

/** A free port below the ephemeral range, so that the system does not assign it meanwhile. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(world.random.next() * 12_000);
    const taken = createServer().listen(port, "127.0.0.1");
    const isFree = await once(taken, "listening").then(
      () => true,
      () => false,
    );
    taken.close();
    if (isFree) return port;
  }
}

const settings = (folder: string, kubeletPort: number) => ({
  nodeName: "n1",
  nodeIp: "127.0.0.1",
  kubeletPort,
  capacity: { cpuMillis: 2_000, memoryBytes: 2 ** 40, pods: 50 },
  // The pod addresses of the simulated engine.
  podCidr: "10.0.0.0/16",
  clusterDns: "10.96.0.10",
  clusterDomain: "cluster.local",
  stateDir: join(folder, "state"),
  labels: {},
  times: { leaseRenewMs: 1000, leaseDurationSeconds: 40, statusCheckMs: 100, statusReportMs: 300_000 },
});

/** Starts the node. Without a client of its own it is a component of the server. */
export async function simulatedNode(
  server: TestServer,
  client = server.inProcess,
  nodeWorld: World = world,
): Promise<SimulatedNode> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-node-"));
  const serving = await server.authority.issue({ name: "system:node:n1", hosts: ["127.0.0.1"], use: "server" });
  const stop = new AbortController();
  const at = settings(folder, await freePort());
  const subPaths = testSubPaths(at.stateDir);
  const ports = { world: nodeWorld, client, runtime: simulatedRuntime(world, [image]), subPaths };
  const certificate = { current: () => serving, onRenewed: () => {} };
  const check = kubeletAccess({ client, world, nodeName: at.nodeName });
  const listening = { host: "127.0.0.1", ca: server.ca, serving: certificate, check };
  const running = kubelet(at, ports, (view, until) => serveKubelet(listening, view, until), stop.signal);
  const until: SimulatedNode["until"] = async (name, isSo, namespace = "default") => {
    for (let i = 0; i < 500; i++) {
      if (isSo(await server.inProcess.get(pods, key(namespace, name)))) return;
      await world.clock.sleep(20);
    }
    throw new Error(`${name} did not meet the condition within ten seconds`);
  };
  return {
    async create(name, containers, { namespace = "default", nodeName = "n1" } = {}) {
      // Without controllers the root certificate for token volumes is not published.
      const quiet = { restartPolicy: "Never" as const, automountServiceAccountToken: false };
      const spec = { ...(nodeName && { nodeName }), ...quiet, containers };
      const pod: Draft<Pod> = { kind: "Pod", metadata: { name, namespace, labels: { app: name } }, spec };
      await server.inProcess.create(pods, pod);
    },
    until,
    ready: (name, namespace) =>
      until(
        name,
        (pod) => pod.status?.conditions?.some((c) => c.type === "Ready" && c.status === "True") ?? false,
        namespace,
      ),
    async close() {
      stop.abort();
      await running;
      rmSync(folder, { recursive: true });
    },
  };
}

/** A container that runs the script. */
export const runs = (name: string, script: string): Containers[number] => ({
  name,
  image,
  command: ["sh", "-c", script],
});
