// A control plane for the duration of a benchmark, reached over HTTPS as by any client: makes nodes and pods, and waits
// until pods are bound.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, keyOf } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { httpClient } from "../../machinery/http-client.ts";
import type { ServerAccess } from "../../machinery/http-session.ts";
import { realWorld } from "../../machinery/real-world.ts";

const world = realWorld(() => {});
/** Requests at a time. */
const inFlight = 64;
/** Where to write a CPU profile of the control plane; none by default. */
const profileDir = process.env["BENCH_PROFILE"];
const profiling = profileDir === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileDir}`];

export interface SystemCluster {
  readonly client: Client;
  /** CPU seconds of the control plane so far. */
  cpuSeconds(): Promise<number>;
}

/** Ticks of CPU per second, as the kernel counts them. */
const ticksPerSecond = 100;
async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Runs `use` with a control plane, which ends with it. */
export async function withControlPlane(
  use: (cluster: SystemCluster) => Promise<void>,
  { apiOnly = false }: { readonly apiOnly?: boolean } = {},
): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "orrery-bench-"));
  const name = "bench";
  const child = fork(join(import.meta.dirname, "control-plane.ts"), {
    execArgv: ["--max-semi-space-size=64", ...profiling],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, HOME: home },
  });
  const stop = new AbortController();
  try {
    child.send({ name, apiOnly });
    const [access] = (await once(child, "message")) as [Omit<ServerAccess, "userAgent">];
    const client = httpClient({ ...access, userAgent: "orrery-bench" }, world, stop.signal);
    await use({ client, cpuSeconds: () => cpuSecondsOf(child.pid!) });
  } finally {
    stop.abort();
    child.disconnect();
    await once(child, "exit");
    await rm(home, { recursive: true });
  }
}

/** Runs a task for each number below `count`, some at a time. */
export async function each(count: number, task: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await task(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

/** Counts the changes of a kind by a watch. */
export interface Counter {
  /** Resolves once `count` objects fulfil the condition. */
  reached(count: number): Promise<void>;
}
/** Counts the objects of a kind that fulfil a condition, from now on. */
export async function counter<T extends ApiObject>(
  client: Client,
  resource: ResourceDefinition<T>,
  isCounted: (object: T) => boolean,
  signal: AbortSignal,
): Promise<Counter> {
  const counted = new Set<string>();
  let check = (): void => {};
  const { items, revision } = await client.list(resource);
  const note = (object: T, isGone: boolean): void => {
    if (!isGone && isCounted(object)) counted.add(keyOf(object));
    else counted.delete(keyOf(object));
  };
  for (const object of items) note(object, false);
  const follow = async (): Promise<void> => {
    for await (const event of client.watch(resource, { from: revision }, signal)) {
      if (event.type !== "progress") note(event.object, event.type === "deleted");
      check();
    }
  };
  follow().catch((e: unknown) => {
    if (!signal.aborted) throw e;
  });
  return {
    reached: (count) =>
      new Promise((resolve) => {
        check = () => counted.size === count && resolve();
        check();
      }),
  };
}
