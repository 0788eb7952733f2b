// etcd processes for tests, on free loopback ports with temporary data directories.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** One etcd process that can be killed and restarted with its data. */
export interface Member {
  readonly name: string;
  readonly host: string;
  start(): Promise<void>;
  kill(): Promise<void>;
}
/** The members of a cluster, and their disposal. */
export interface EtcdCluster {
  readonly members: readonly Member[];
  readonly hosts: readonly string[];
  /** The current leader. */
  leader(): Promise<Member>;
  close(): Promise<void>;
}

/** A port of the loopback address that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

/** The response of etcd's JSON gateway. Undefined while it is unreachable. */
async function gatewayRequest(host: string, path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const response = await fetch(`http://${host}${path}`, {
      method: "POST",
      body: "{}",
      signal: AbortSignal.timeout(1000),
    });
    return response.ok ? ((await response.json()) as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // Not started or just killed: the caller retries.
  }
}

async function ready(host: string): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const status = await gatewayRequest(host, "/v3/maintenance/status");
    if (status?.leader !== undefined && status.leader !== "0") return;
    await pause(50);
  }
  throw new Error(`etcd at ${host} did not become ready within ten seconds`);
}

function member(name: string, client: number, args: readonly string[]): Member {
  const host = `127.0.0.1:${client}`;
  let child: ChildProcess | undefined;
  return {
    name,
    host,
    async start() {
      child = spawn("etcd", args, { stdio: "ignore" });
      await ready(host);
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** Starts `size` members and waits until they have elected a leader. */
export async function etcdCluster(size: number): Promise<EtcdCluster> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-etcd-"));
  const ports = await Promise.all(
    Array.from({ length: size }, async () => ({ client: await freePort(), peer: await freePort() })),
  );
  const peers = ports.map(({ peer }, i) => `m${i}=http://127.0.0.1:${peer}`).join(",");
  const members = ports.map(({ client, peer }, i) => {
    const [at, peerAt] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
    return member(`m${i}`, client, [
      ...["--name", `m${i}`, "--data-dir", join(folder, `m${i}`), "--initial-cluster", peers],
      ...["--listen-client-urls", at, "--advertise-client-urls", at],
      ...["--listen-peer-urls", peerAt, "--initial-advertise-peer-urls", peerAt],
      ...["--heartbeat-interval", "50", "--election-timeout", "500", "--log-level", "error"],
    ]);
  });
  await Promise.all(members.map((m) => m.start()));
  return {
    members,
    hosts: members.map((m) => m.host),
    async leader() {
      for (const m of members) {
        const status = await gatewayRequest(m.host, "/v3/maintenance/status");
        const memberId = (status?.header as { member_id?: string } | undefined)?.member_id;
        if (memberId !== undefined && memberId === status?.leader) return m;
      }
      throw new Error("no member leads");
    },
    async close() {
      await Promise.all(members.map((m) => m.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A TCP proxy to etcd that can drop responses while it forwards requests. */
export interface Proxy {
  readonly host: string;
  /** Drops responses from now on; each connection is closed at its first response. */
  dropResponses(): void;
  restore(): void;
  close(): Promise<void>;
}

/** Starts a proxy to one etcd. */
export async function proxyTo(target: string): Promise<Proxy> {
  let dropsResponses = false;
  const sockets = new Set<Socket>();
  const [host, port] = target.split(":") as [string, string];
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    }
    near.on("data", (data) => far.write(data)).on("close", () => far.destroy());
    far.on("data", (data) => (dropsResponses ? near.destroy() : near.write(data))).on("close", () => near.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as { port: number }).port}`,
    dropResponses: () => {
      dropsResponses = true;
    },
    restore: () => {
      dropsResponses = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
