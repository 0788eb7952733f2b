// The load balancer in front of several API servers, with servers that can be made unready or stopped.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, createServer, get } from "node:https";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Authority, newAuthority } from "../../cli/cluster/pki.ts";
import { runLoadBalancer } from "../../cli/load-balancer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { freePort } from "../etcd/cluster.ts";

const world = realWorld(() => {});
const folder = mkdtempSync(join(tmpdir(), "orrery-balancer-"));
let authority: Authority;
beforeAll(async () => {
  authority = await newAuthority("lab-ca", world.clock.now());
  writeFileSync(join(folder, "ca.crt"), authority.pem.cert);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A server that responds with its name, and to /readyz by its readiness. */
async function backend(name: string) {
  const { cert, key } = await authority.issue({ name, hosts: ["127.0.0.1"], use: "server" });
  const state = { isReady: true };
  const server = createServer({ cert, key }, (request, response) => {
    if (request.url === "/readyz") response.statusCode = state.isReady ? 200 : 500;
    response.end(name);
  }).listen(0, "127.0.0.1");
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  await once(server, "listening");
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { state, stop, address: { host: "127.0.0.1", port: (server.address() as { port: number }).port } };
}

/** Requests the name of a server; over one connection with an agent that keeps it. */
const nameBehind = (port: number, agent: Agent | false = false): Promise<string> =>
  new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, ca: authority.pem.cert, agent };
    get(options, (response) => {
      response.setEncoding("utf8").on("data", resolve);
    }).on("error", reject);
  });

test("connections are spread over ready servers, and leave one that is not ready or has stopped", async () => {
  const backends = [await backend("a"), await backend("b")] as const;
  const [a, b] = backends;
  const stop = new AbortController();
  const port = await freePort();
  const listen = { host: "127.0.0.1", port };
  const config = { listen, backends: backends.map(({ address }) => address), ca: join(folder, "ca.crt") };
  const running = runLoadBalancer(config, world, stop.signal);
  const agents = [1, 2].map(() => new Agent({ keepAlive: true, maxSockets: 1 })) as [Agent, Agent];
  expect((await Promise.all(agents.map((agent) => nameBehind(port, agent)))).toSorted()).toEqual(["a", "b"]);
  a.state.isReady = false;
  // The connection to it is closed, and the agent's next one goes to the other.
  await vi.waitFor(
    async () => expect(await Promise.all(agents.map((agent) => nameBehind(port, agent)))).toEqual(["b", "b"]),
    { timeout: 10_000, interval: 100 },
  );
  a.state.isReady = true;
  b.stop();
  // At once: a server that refuses a connection is passed over.
  expect(await nameBehind(port)).toBe("a");
  for (const agent of agents) agent.destroy();
  stop.abort();
  await running;
  a.stop();
});
