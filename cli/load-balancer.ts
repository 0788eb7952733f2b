// A load balancer of TCP connections to API servers, which end TLS themselves. Servers that are not ready get no new
// connections, and lose those they have.
import { readFileSync } from "node:fs";
import { get } from "node:https";
import { connect, createServer, type Socket } from "node:net";
import { onAbort } from "../machinery/abort.ts";
import type { World } from "../machinery/world.ts";
import type { LoadBalancerConfig } from "./cluster/control-planes.ts";

const checkEveryMs = 500;
const timeoutMs = 1_000;
/** Checks that fail in a row before a server is out of service. */
const mostFailures = 2;

interface Backend {
  readonly host: string;
  readonly port: number;
  /** Failed checks since the last one that did not. */
  failures: number;
  readonly connections: Set<Socket>;
}

/** Whether the API server reports that it is ready. */
const isReady = ({ host, port }: Backend, ca: string): Promise<boolean> =>
  new Promise((resolve) => {
    const request = get({ host, port, path: "/readyz", ca, agent: false, timeout: timeoutMs }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(false));
    request.on("close", () => resolve(false));
  });

const isInService = ({ failures }: Backend): boolean => failures < mostFailures;

/** Checks a server until the signal aborts. */
async function check(backend: Backend, ca: string, { clock, log }: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const before = isInService(backend);
    backend.failures = (await isReady(backend, ca)) ? 0 : backend.failures + 1;
    if (isInService(backend) !== before)
      log(before ? "out of service" : "in service", { server: `${backend.host}:${backend.port}` });
    if (!isInService(backend)) for (const socket of backend.connections) socket.destroy();
    await clock.sleep(checkEveryMs, signal).catch(() => {});
  }
}

/** The servers in the order in which they are tried: in service first, then those with few connections. */
const ranked = (backends: readonly Backend[]): readonly Backend[] =>
  backends.toSorted(
    (a, b) => Number(isInService(b)) - Number(isInService(a)) || a.connections.size - b.connections.size,
  );

/** Connects to the first server that accepts; undefined when none does. */
async function connected(backends: readonly Backend[]): Promise<Socket | undefined> {
  for (const backend of backends) {
    const { host, port, connections } = backend;
    const socket = connect({ host, port });
    connections.add(socket);
    socket.once("close", () => connections.delete(socket));
    socket.setTimeout(timeoutMs, () => socket.destroy());
    const isConnected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.on("error", () => resolve(false));
      socket.once("close", () => resolve(false));
    });
    socket.setTimeout(0);
    if (isConnected) return socket;
  }
  return undefined;
}

/** Passes on everything between a client and a server, until one of them closes. */
async function forward(client: Socket, backends: readonly Backend[]): Promise<void> {
  client.on("error", () => {});
  const server = await connected(ranked(backends));
  if (!server || client.destroyed) {
    client.destroy();
    server?.destroy();
    return;
  }
  client.pipe(server).pipe(client);
  client.once("close", () => server.destroy());
  server.once("close", () => client.destroy());
}

/** Runs until the signal aborts. */
export async function runLoadBalancer(config: LoadBalancerConfig, world: World, signal: AbortSignal): Promise<void> {
  const ca = readFileSync(config.ca, "utf8");
  const backends = config.backends.map((backend): Backend => ({ ...backend, failures: 0, connections: new Set() }));
  const clients = new Set<Socket>();
  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    void forward(client, backends);
  });
  const closed = new Promise<void>((resolve, reject) => {
    server.once("close", resolve).once("error", reject);
  });
  server.listen(config.listen.port, config.listen.host);
  const off = onAbort(signal, () => {
    server.close();
    for (const client of clients) client.destroy();
  });
  await Promise.all([closed, ...backends.map((backend) => check(backend, ca, world, signal))]);
  off();
}
