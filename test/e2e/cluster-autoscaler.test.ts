// The cluster autoscaler on Docker: a node comes for pods without room, also when the autoscaler is killed meanwhile, and
// goes when they are gone.
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run, runLines } from "../../cli/cluster/subprocess.ts";
import { realWorld } from "../../machinery/real-world.ts";

const name = "e2e-nodes";
const launcher = join(import.meta.dirname, "../../orrery");
const { clock } = realWorld(() => {});
const orrery = (...args: readonly string[]): Promise<string> => run([launcher, ...args, "--name", name]);

const nodes = async (): Promise<readonly string[]> => (await orrery("get", "nodes", "-o", "name")).trim().split("\n");
const readyReplicas = (): Promise<string> =>
  orrery("get", "deployment", "load", "-o", "jsonpath={.status.readyReplicas}");
const until = async (what: string, done: () => Promise<boolean>): Promise<void> => {
  const deadline = clock.now() + 120_000;
  while (!(await done())) {
    if (clock.now() > deadline) throw new Error(`${what}: not within two minutes`);
    await clock.sleep(300);
  }
};

beforeAll(async () => {
  await orrery("down");
  await orrery("up", "--nodes", "1", "--max-nodes", "2", "--node-cpus", "1", "--node-memory", "512Mi");
  await orrery("create", "deployment", "load", "--image=orrery/busybox:1", "--replicas=2", "--", "sleep", "infinity");
  await orrery("set", "resources", "deployment", "load", "--requests=cpu=400m");
  await until("two pods are ready", async () => (await readyReplicas()) === "2");
});
afterAll(() => orrery("down"));

test("a node is added although the autoscaler is killed while it is made, and removed when it is idle", async () => {
  await orrery("scale", "deployment", "load", "--replicas=3");
  const added = `${name}-node-2`;
  await until("a container is made", async () =>
    (await runLines(["docker", "ps", "-a", "--format", "{{.Names}}"])).includes(added),
  );
  await run(["docker", "kill", "--signal", "KILL", `${name}-autoscaler`]);
  await orrery("up");
  await until("all pods are ready", async () => (await readyReplicas()) === "3");
  expect(await nodes()).toEqual([`node/${name}-node-1`, `node/${added}`]);
  await orrery("scale", "deployment", "load", "--replicas=1");
  await until("the node is removed", async () => (await nodes()).length === 1);
  const names = await runLines(["docker", "ps", "-a", "--format", "{{.Names}}", "--filter", `name=${name}`]);
  expect(names.toSorted()).toEqual(
    ["autoscaler", "control-plane", "node-1", "registry"].map((part) => `${name}-${part}`),
  );
  expect(await orrery("events", "-A")).toContain("node removed by cluster autoscaler");
});

test("the autoscaler is one of the cluster's components", async () => {
  expect(await orrery("status")).toMatch(new RegExp(`${name}-autoscaler +autoscaler .*healthy`));
  expect(await orrery("component-logs", "autoscaler")).toContain(`remove node ${name}-node-2`);
});
