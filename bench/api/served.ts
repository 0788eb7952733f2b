// One process that serves, the other side of the load: the API server over a store, or a bare HTTPS server that knows
// nothing and answers bytes it was given. Told by its parent what to do, it tells back where it listens and what it uses.
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { kindRegistry } from "../../machinery/kind-registry.ts";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { apiServer } from "../../apiserver/server.ts";
import { etcdStorage } from "../../apiserver/storage/etcd.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import type { Pem } from "../../cli/cluster/pki.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { serveOpen } from "./open.ts";

/** What to serve, and under which certificates. */
export interface Order {
  readonly serve: "memory" | "etcd" | "bare" | "open";
  readonly ca: string;
  readonly serving: Pem;
  readonly admin: Pem;
  readonly hosts?: readonly string[];
  /** Bodies by path, for the bare server. A watch's body is sent to all who watch, at each request to `/tell`. */
  readonly bodies?: Readonly<Record<string, string>>;
}
/** What the process holds after its rubbish was thrown away, in bytes. */
export interface Usage {
  readonly resident: number;
  readonly heap: number;
  readonly outside: number;
}

const world = realWorld(() => {});
const stop = new AbortController();

async function serveApi({ serve, ca, serving, admin, hosts = [] }: Order): Promise<number> {
  const storage = serve === "etcd" ? await etcdStorage({ hosts, root: "/bench" }, world, stop.signal) : memoryStorage();
  const server = apiServer({
    kinds: kindRegistry(builtinKinds),
    storage,
    world,
    host: "127.0.0.1",
    port: 0,
    tls: { ca, ...serving },
    serviceCidr: "10.96.0.0/16",
    advertise: "127.0.0.1",
    kubeletClient: { ca, ...admin },
    tokens: { issuer: "https://kubernetes.default.svc", key: admin.key },
  });
  return (await server.listen(stop.signal)).port;
}

/** The least a server can do for the same bytes. */
function serveBare({ ca, serving, bodies = {} }: Order): Promise<number> {
  const watchers = new Set<import("node:http").ServerResponse>();
  const bytes = new Map(Object.entries(bodies).map(([path, body]) => [path, Buffer.from(body)]));
  const server = createServer({ ca, ...serving, requestCert: true }, (request, response) => {
    const url = request.url ?? "";
    if (url.includes("watch=")) {
      response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
      watchers.add(response);
      response.once("close", () => watchers.delete(response));
      return;
    }
    if (url === "/tell") for (const watcher of watchers) watcher.write(bytes.get("/event")!);
    const body = bytes.get(url) ?? Buffer.from("{}");
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

function begin(order: Order): Promise<number> {
  if (order.serve === "bare") return serveBare(order);
  return order.serve === "open" ? serveOpen(order) : serveApi(order);
}

const usage = (): Usage => {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed, outside: external };
};

process.on("message", (message: Order | "usage") => {
  if (message === "usage") process.send?.(usage());
  else void begin(message).then((port) => process.send?.({ port }));
});
process.on("disconnect", () => process.exit());
