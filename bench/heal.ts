// Recovery times after a killed container, a deleted pod and a killed node.
import { deployments } from "../api/apps/deployments.ts";
import { pods } from "../api/core/pods.ts";
import { isReady } from "../api/core/pod/status.ts";
import { type BenchCluster, keyIn, podBecomes, readyPods, sleeper, until, withCluster } from "./cluster.ts";
import { median, report, timed } from "./report.ts";

const runs = 5;
const dockerIdOf = (id: string | undefined): string => (id ?? "").replace("docker://", "");

/** From the kill command until the pod's status shows the container running again. */
async function killedContainer({ client, inNode }: BenchCluster, i: number): Promise<number> {
  const name = `victim-${i}`;
  await client.create(pods, sleeper(name));
  const pod = await podBecomes(client, name, isReady);
  const id = dockerIdOf(pod.status?.containerStatuses?.[0]?.containerID);
  const restarted = podBecomes(client, name, (p) => {
    const status = p.status?.containerStatuses?.[0];
    return status?.restartCount === 1 && status.state?.running !== undefined;
  });
  const ms = await timed(async () => {
    await inNode(pod.spec.nodeName!, "docker", "kill", id);
    await restarted;
  });
  await client.delete(pods, keyIn(pod), { gracePeriodSeconds: 0 });
  return ms;
}
/** The same on the engine alone: kill a container and start it again. */
const bareRestart = ({ inNode, name }: BenchCluster): Promise<number> =>
  timed(() =>
    inNode(
      `${name}-node-1`,
      "sh",
      "-c",
      "id=$(docker run -d --network none orrery/busybox:1 sleep infinity); docker kill $id >/dev/null; docker start $id >/dev/null; docker rm -f $id >/dev/null",
    ),
  );

async function deletedPod({ client }: BenchCluster): Promise<number> {
  const [victim] = await readyPods(client, "web");
  return timed(async () => {
    await client.delete(pods, keyIn(victim!), { gracePeriodSeconds: 0 });
    await until(
      "a replacement",
      async () => (await readyPods(client, "web")).filter((p) => p.metadata.uid !== victim!.metadata.uid).length === 6,
    );
  });
}

async function killedNode({ client, orrery }: BenchCluster): Promise<number> {
  const victim = (await readyPods(client, "web"))[0]!.spec.nodeName!;
  return timed(async () => {
    await orrery("node", "kill", victim);
    await until(
      "pods elsewhere",
      async () => (await readyPods(client, "web")).filter((p) => p.spec.nodeName !== victim).length === 6,
    );
  });
}

const several = async (measure: (i: number) => Promise<number>): Promise<number> => {
  const all: number[] = [];
  for (let i = 0; i < runs; i++) all.push(await measure(i));
  return median(all) / 1000;
};

await withCluster("bench-heal", 3, async (cluster) => {
  const { client } = cluster;
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "orrery/web:1", resources: { requests: { cpu: "100m" } } }] },
  };
  await client.create(deployments, {
    kind: "Deployment",
    metadata: { name: "web", namespace: "default" },
    spec: { replicas: 6, selector: { matchLabels: { app: "web" } }, template },
  });
  await until("six pods", async () => (await readyPods(client, "web")).length === 6);
  const bare = await several(() => bareRestart(cluster));
  const beside = { what: "the engine alone: run, kill, start, remove", value: bare, unit: "s" as const };
  report({
    what: "a killed container runs again",
    value: await several((i) => killedContainer(cluster, i)),
    unit: "s",
    beside,
    budget: { atMost: 1 },
  });
  report({
    what: "a deleted pod's replacement is Ready",
    value: await several(() => deletedPod(cluster)),
    unit: "s",
    beside,
    budget: { atMost: 3 },
  });
  report({
    what: "a killed node's pods run elsewhere",
    value: (await killedNode(cluster)) / 1000,
    unit: "s",
    beside,
    budget: { atMost: 15 },
  });
});
