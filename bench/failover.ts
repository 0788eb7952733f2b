// Fail-over of the controllers: three control planes over one etcd, of which the leading one is killed. Measured from
// the kill to the first write of the next leader.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { deployments } from "../api/apps/deployments.ts";
import { replicaSets } from "../api/apps/replicasets.ts";
import { leases } from "../api/coordination/leases.ts";
import { namespaces } from "../api/core/namespaces.ts";
import { controllerOf, key } from "../api/meta.ts";
import { serverConfig } from "../cli/cluster/config.ts";
import { adminCredentials, controlPlaneCredentials } from "../cli/cluster/credentials.ts";
import { pemFiles, writeAll } from "../cli/cluster/node-files.ts";
import { type Authority, newAuthority, newSigningKey } from "../cli/cluster/pki.ts";
import { localTimings } from "../cli/cluster/timings.ts";
import type { Client } from "../machinery/client.ts";
import { httpClient } from "../machinery/http-client.ts";
import { realWorld } from "../machinery/real-world.ts";
import { etcdCluster, freePort } from "../test/etcd/cluster.ts";
import { median, report } from "./report.ts";

const runs = Number(process.argv[2] ?? 10);
const world = realWorld(() => {});
const folder = mkdtempSync(join(tmpdir(), "orrery-failover-"));
const lease = key("kube-system", "kube-controller-manager");

/** A control plane that is killed and started again. */
interface ControlPlane {
  readonly port: number;
  readonly client: Client;
  start(): Promise<void>;
  kill(signal?: "SIGKILL" | "SIGTERM"): Promise<void>;
}

/** Repeats a read until it has a result. */
async function until<T>(what: string, read: () => Promise<T | undefined>, everyMs = 50): Promise<T> {
  for (let left = 30_000 / everyMs; left > 0; left--) {
    const found = await read().catch(() => undefined);
    if (found !== undefined) return found;
    await pause(everyMs);
  }
  throw new Error(`${what}: not within 30 s`);
}

async function controlPlane(ca: Authority, endpoints: readonly string[], stop: AbortSignal): Promise<ControlPlane> {
  const port = await freePort();
  const dir = join(folder, String(port));
  const config = serverConfig(dir, "127.0.0.1", { kind: "etcd", endpoints });
  await writeAll(dir, {
    "server.json": JSON.stringify({ ...config, listen: { host: "127.0.0.1", port } }),
    "ca.crt": ca.pem.cert,
    "sa.key": await newSigningKey(),
    ...pemFiles(await controlPlaneCredentials(ca, { name: "bench", ip: "127.0.0.1" })),
  });
  const admin = await adminCredentials(ca);
  const access = { url: `https://127.0.0.1:${port}`, ca: ca.pem.cert, ...admin, userAgent: "bench" };
  const client = httpClient(access, world, stop);
  let child: ChildProcess | undefined;
  return {
    port,
    client,
    async start() {
      const command = ["cli/main.ts", "server", "--config", join(dir, "server.json")];
      child = spawn(process.execPath, command, { stdio: "ignore" });
      await until("a control plane", () => client.get(namespaces, key(undefined, "default")));
    },
    async kill(signal = "SIGKILL") {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, "exit");
    },
  };
}

/** The control plane that holds the lease. */
const leaderOf = (all: readonly ControlPlane[]): Promise<ControlPlane> =>
  until("a leader", async () => {
    const { spec } = await Promise.any(all.map(({ client }) => client.get(leases, lease)));
    return all.find(({ port }) => spec.holderIdentity?.endsWith(`:${port}`));
  });

const deployment = (name: string) =>
  ({
    kind: "Deployment",
    metadata: { name, namespace: "default" },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  }) as const;

/** Stops the leader, and measures until a deployment that is created then gets its replica set. */
async function failOver(all: readonly ControlPlane[], run: number, signal: "SIGKILL" | "SIGTERM"): Promise<number> {
  const leader = await leaderOf(all);
  const other = all.find((one) => one !== leader)!.client;
  const stop = new AbortController();
  const watch = other.watch(replicaSets, { from: await other.revision(replicaSets) }, stop.signal);
  const began = performance.now();
  const stopped = leader.kill(signal);
  if (signal === "SIGTERM") await stopped;
  const { metadata } = await other.create(deployments, deployment(`run-${run}`));
  for await (const event of watch)
    if (event.type === "applied" && controllerOf(event.object)?.uid === metadata.uid) break;
  const ms = performance.now() - began;
  stop.abort();
  await stopped;
  await leader.start();
  // The restarted one is a candidate again, and has filled its views.
  await pause(1_000);
  return ms;
}

const etcd = await etcdCluster(1);
const stop = new AbortController();
const ca = await newAuthority("bench", world.clock.now());
const all = await Promise.all([0, 1, 2].map(() => controlPlane(ca, etcd.hosts, stop.signal)));
try {
  for (const one of all) await one.start();
  const { leaseDurationMs } = localTimings.election;
  const beside = { what: "the lease lasts", value: leaseDurationMs / 1000, unit: "s" as const };
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push((await failOver(all, run, "SIGKILL")) / 1000);
  process.stdout.write(`${times.map((s) => s.toFixed(2)).join(" ")} s\n`);
  const budget = { atMost: 3 };
  report({
    what: "a killed leader, median until the next one writes",
    value: median(times),
    unit: "s",
    beside,
    budget,
  });
  report({ what: "the longest", value: Math.max(...times), unit: "s", beside, budget });
  const stopped = (await failOver(all, runs, "SIGTERM")) / 1000;
  report({ what: "a leader that is stopped, and releases its lease", value: stopped, unit: "s", beside, budget });
} finally {
  await Promise.all(all.map((one) => one.kill()));
  stop.abort();
  await etcd.close();
  rmSync(folder, { recursive: true, force: true });
}
