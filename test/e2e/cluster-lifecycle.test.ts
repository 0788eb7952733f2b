// The lifecycle of a cluster: up, recovery of every component and node, adding and removing nodes, and down.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { clusterDir } from "../../cli/paths.ts";
import type { StatusRow } from "../../cli/cluster/status.ts";
import { CommandFailed, run } from "../../cli/cluster/subprocess.ts";
import { realWorld } from "../../machinery/real-world.ts";

const name = "e2e-life";
const launcher = join(import.meta.dirname, "../../orrery");
const { clock } = realWorld(() => {});

const orrery = (...args: readonly string[]): Promise<string> => run([launcher, ...args, "--name", name]);
const inNode = (node: string, ...command: readonly string[]): Promise<string> =>
  run(["docker", "exec", `${name}-${node}`, ...command]);

const refusal = async (...args: readonly string[]): Promise<string> => {
  const failed = await orrery(...args).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failed instanceof CommandFailed) return failed.stderr;
  throw new Error(`orrery ${args.join(" ")} was expected to be refused`);
};

// Status exits with 1 while a component is unhealthy, and still prints.
const status = (): Promise<readonly StatusRow[]> =>
  orrery("status", "-o", "json").then(
    (text) => JSON.parse(text),
    (error: CommandFailed) => JSON.parse(error.stdout),
  );

const until = async (what: string, done: () => Promise<boolean>): Promise<void> => {
  const deadline = clock.now() + 60_000;
  while (!(await done())) {
    if (clock.now() > deadline) throw new Error(`${what}: not within a minute`);
    await clock.sleep(200);
  }
};

const remains = async (): Promise<string> => {
  const label = `label=orrery.dev/cluster=${name}`;
  const kinds = [
    ["ps", "-aq"],
    ["volume", "ls", "-q"],
    ["network", "ls", "-q"],
  ] as const;
  const found = await Promise.all(kinds.map((kind) => run(["docker", ...kind, "--filter", label])));
  return found.join("").trim() + (existsSync(clusterDir(name)) ? clusterDir(name) : "");
};

beforeAll(async () => {
  await orrery("down");
  await orrery("up", "--nodes", "1", "--node-cpus", "1", "--node-memory", "768Mi");
});
afterAll(() => orrery("down"));

test("every component is healthy", async () => {
  const rows = await status();
  expect(rows.map((row) => `${row.node} ${row.component} ${row.health}`)).toEqual([
    `${name}-control-plane etcd healthy`,
    `${name}-control-plane server healthy`,
    `${name}-registry registry healthy`,
    `${name}-node-1 agent healthy`,
    `${name}-node-1 csi healthy`,
    `${name}-node-1 dockerd healthy`,
  ]);
});

test("a node has the requested size, enforced by its container", async () => {
  const limits = await run([
    "docker",
    "inspect",
    "-f",
    "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}}",
    `${name}-node-1`,
  ]);
  expect(limits.trim()).toBe(`1000000000 ${768 * 2 ** 20}`);
  const agent = JSON.parse(await inNode("node-1", "cat", "/etc/orrery/agent.json"));
  expect(agent.capacity).toEqual({ cpuMillis: 1000, memoryBytes: 768 * 2 ** 20, pods: 110 });
});

test("up on a running cluster changes nothing", async () => {
  await orrery("up");
  expect((await status()).every((row) => row.restarts === 0)).toBe(true);
});

const components = [
  ["control-plane", "etcd"],
  ["control-plane", "server"],
  ["node-1", "dockerd"],
  ["node-1", "agent"],
] as const;
for (const [node, component] of components) {
  test(`${component} is restarted after a kill`, async () => {
    await inNode(node, "sh", "-c", `kill -9 $(cat /run/orrery/${component}/pid)`);
    await until(`${component} healthy again`, async () => {
      const rows = await status();
      const own = rows.find((row) => row.component === component);
      return own !== undefined && own.restarts > 0 && rows.every((row) => row.health === "healthy");
    });
  });
}

test("a killed node and a stopped node can be restarted", async () => {
  for (const verb of ["kill", "stop"]) {
    await orrery("node", verb, "1");
    expect((await status()).find((row) => row.node === `${name}-node-1`)?.health).toBe("stopped");
    await orrery("node", "start", "1");
    expect((await status()).filter((row) => row.health !== "healthy")).toEqual([]);
  }
});

test("after a power failure of the machine, up brings all of it back", async () => {
  const own = (await run(["docker", "ps", "-q", "--filter", `label=orrery.dev/cluster=${name}`])).trim().split("\n");
  await run(["docker", "kill", ...own]);
  await orrery("up");
  expect((await status()).filter((row) => row.health !== "healthy")).toEqual([]);
});

test("nodes are added and removed", async () => {
  await orrery("node", "add");
  expect((await status()).filter((row) => row.node === `${name}-node-2`)).toHaveLength(3);
  const began = clock.now();
  await orrery("node", "rm", "2");
  // It ends when it is done, not when its idle connection is closed.
  expect(clock.now() - began).toBeLessThan(30_000);
  expect((await status()).filter((row) => row.node === `${name}-node-2`)).toHaveLength(0);
  expect(await refusal("node", "rm", "control-plane")).toContain("cannot be removed from its cluster");
});

test("a local image is loaded into the nodes", async () => {
  await run(["docker", "tag", "orrery/busybox:1", "e2e-life/own:1"]);
  try {
    await orrery("image", "load", "e2e-life/own:1");
    expect(await inNode("node-1", "docker", "image", "ls", "-q", "e2e-life/own:1")).not.toBe("");
  } finally {
    await run(["docker", "rmi", "e2e-life/own:1"]);
  }
  expect(await refusal("image", "load", "e2e-life/none:1")).toContain('no image "e2e-life/none:1"');
});

test("logs of components", async () => {
  expect(await orrery("component-logs", "apiserver", "--tail", "5")).toContain("apiserver");
  expect(await refusal("component-logs", "oracle")).toContain('there is no component "oracle"');
});

test("down removes everything, and a second down does nothing", async () => {
  await orrery("down");
  expect(await remains()).toBe("");
  await orrery("down");
  expect(await refusal("status")).toContain(`there is no cluster named "${name}"`);
});

test("an interrupted up removes what it created", async () => {
  const child = spawn(launcher, ["up", "--nodes", "1", "--name", name], { stdio: "ignore" });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  await until("a container", async () => (await run(["docker", "ps", "-q", "--filter", `name=${name}`])) !== "");
  child.kill("SIGINT");
  expect(await ended).toBe(1);
  expect(await remains()).toBe("");
});
