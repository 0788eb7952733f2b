// The time from a bound to a running pod, compared with the engine alone starting the same containers.
import { pods } from "../api/core/pods.ts";
import { type BenchCluster, keyIn, podBecomes, sleeper, until, withCluster } from "./cluster.ts";
import { median, report } from "./report.ts";

const runs = 15;

async function podStart({ client, name }: BenchCluster, i: number): Promise<number> {
  const podName = `start-${i}`;
  const running = (async () => {
    await until("pod exists", () =>
      client.get(pods, keyIn({ metadata: { namespace: "default", name: podName } } as never)).catch(() => undefined),
    );
    return podBecomes(client, podName, (p) => p.status?.phase === "Running");
  })();
  const startedAt = performance.now();
  const pod = await client.create(pods, sleeper(podName, `${name}-node-1`));
  await running;
  const ms = performance.now() - startedAt;
  await client.delete(pods, keyIn(pod), { gracePeriodSeconds: 0 });
  await until("pod is deleted", () =>
    client.get(pods, keyIn(pod)).then(
      () => false,
      () => true,
    ),
  );
  return ms;
}

/** Runs in the node: starts a pause container, then a container in its network, over the engine's socket. */
const bareScript = `
  const Docker = require("/opt/orrery/node_modules/dockerode");
  const docker = new Docker({ socketPath: "/var/run/docker.sock" });
  (async () => {
    const all = [];
    for (let i = 0; i < ${runs}; i++) {
      const began = performance.now();
      const pause = await docker.createContainer({ Image: "orrery/pause:1" });
      await pause.start();
      const main = await docker.createContainer({ Image: "orrery/busybox:1", Cmd: ["sleep", "infinity"], HostConfig: { NetworkMode: "container:" + pause.id } });
      await main.start();
      all.push(performance.now() - began);
      await main.remove({ force: true });
      await pause.remove({ force: true });
    }
    console.log(JSON.stringify(all));
  })();`;
const bareStart = async ({ inNode, name }: BenchCluster): Promise<number> =>
  median(
    JSON.parse(
      await inNode(`${name}-node-1`, "/opt/orrery/node_modules/.bin/node", "-e", bareScript),
    ) as readonly number[],
  );

await withCluster("bench-start", 1, async (cluster) => {
  const [first] = [await podStart(cluster, -1)];
  process.stdout.write(`the first pod of a new node: ${first.toFixed(0)} ms\n`);
  const bareBefore = await bareStart(cluster);
  const all: number[] = [];
  for (let i = 0; i < runs; i++) all.push(await podStart(cluster, i));
  const bare = (bareBefore + (await bareStart(cluster))) / 2;
  const ms = median(all);
  process.stdout.write(
    `a pod: ${ms.toFixed(0)} ms (${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)}); bare: ${bare.toFixed(0)} ms\n`,
  );
  report({
    what: "pod start, bound to running, by the bare start",
    value: ms / bare,
    unit: "x",
    beside: { what: "the engine alone", value: bare, unit: "ms" },
    budget: { atMost: 1.5 },
  });
});
