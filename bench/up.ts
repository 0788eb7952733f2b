// The time until a cluster of three nodes is Ready with existing images, and until a standalone server responds.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { connect } from "../cli/client/access.ts";
import { isServerReady } from "../cli/cluster/readiness.ts";
import { run } from "../cli/cluster/subprocess.ts";
import { orreryOn, until } from "./cluster.ts";
import { median, report, timed } from "./report.ts";

const runs = 3;
const name = "bench-up";
const orrery = orreryOn(name);

async function clusterUp(): Promise<number> {
  await orrery("down");
  const ms = await timed(() => orrery("up", "--nodes", "3"));
  await orrery("down");
  return ms;
}
/** The time to run four containers that exit at once. */
const bareContainers = (): Promise<number> =>
  timed(() =>
    Promise.all(
      Array.from({ length: 4 }, () =>
        run(["docker", "run", "--rm", "--network", "none", "--entrypoint", "true", "orrery/node:1"]),
      ),
    ),
  );

async function serverUp(): Promise<number> {
  const began = performance.now();
  const server = spawn(join(import.meta.dirname, "../orrery"), ["server", "--name", name, "--port", "17443"], {
    stdio: "ignore",
  });
  try {
    // The server writes its kubeconfig before it listens.
    const api = await until("a kubeconfig", () => connect(name).catch(() => undefined));
    await until("a response", () => isServerReady(api));
    return performance.now() - began;
  } finally {
    server.kill("SIGTERM");
    await new Promise((resolve) => server.once("exit", resolve));
    await orrery("down");
  }
}
const bareNode = (): Promise<number> => timed(() => run([process.execPath, "-e", "0"]));

// Warm-up: creates missing images and the compile cache.
await clusterUp();
const medianOf = async (measure: () => Promise<number>): Promise<number> => {
  const all: number[] = [];
  for (let i = 0; i < runs; i++) all.push(await measure());
  return median(all);
};
const [up, bare, server, node] = [
  await medianOf(clusterUp),
  await medianOf(bareContainers),
  await medianOf(serverUp),
  await medianOf(bareNode),
];
report({
  what: "up, 3 nodes Ready",
  value: up / 1000,
  unit: "s",
  beside: { what: "four containers that do nothing", value: bare / 1000, unit: "s" },
  budget: { atMost: 10 },
});
report({
  what: "server responds",
  value: server / 1000,
  unit: "s",
  beside: { what: "a node process that does nothing", value: node / 1000, unit: "s" },
  budget: { atMost: 1 },
});
