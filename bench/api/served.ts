// The process of a server under load: the API server, or a bare HTTPS server that sends given bytes. Its parent sends the
// specification over IPC and receives the port and memory usage.
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { kindRegistry } from "../../machinery/kind-registry.ts";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { apiServer } from "../../apiserver/server.ts";
import { etcdStorage } from "../../apiserver/storage/etcd.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import type { Pem } from "../../cli/cluster/pki.ts";
import { traceStore } from "../../apiserver/traces/store.ts";
import { preciseNow, realWorld } from "../../machinery/real-world.ts";
import { tracer } from "../../machinery/trace.ts";
import { serveOpen } from "./open.ts";

/** The server to start and its certificates. */
export interface ServerSpec {
  readonly serve: "memory" | "etcd" | "bare" | "open";
  readonly ca: string;
  readonly serving: Pem;
  readonly admin: Pem;
  readonly hosts?: readonly string[];
  /** Every authenticated user may do everything; otherwise roles decide. */
  readonly allowsEverything?: boolean;
  /** The file that events of requests are recorded in, with their metadata. */
  readonly auditLog?: string;
  /** Every write is traced, and the traces are kept. */
  readonly isTraced?: boolean;
  /** Bodies by path, for the bare server. A request to `/send-event` sends the body of `/event` to all watches. */
  readonly bodies?: Readonly<Record<string, string>>;
}
/** Memory after garbage collection, in bytes, and the CPU time of the process so far. */
export interface Usage {
  readonly cpuMs: number;
  readonly resident: number;
  readonly heap: number;
  readonly external: number;
}

const plain = realWorld(() => {});
const stop = new AbortController();

/** A log that is not rotated. */
const unlimited = { maxAgeDays: 0, maxBackups: 0, maxSizeMiB: 100_000 };

async function serveApi(spec: ServerSpec): Promise<number> {
  const { serve, ca, serving, admin, hosts = [], allowsEverything, auditLog: path } = spec;
  const store = traceStore();
  const own = { component: "kube-apiserver", random: plain.random, now: preciseNow, record: store.add };
  const world = spec.isTraced ? { ...plain, tracer: tracer(own) } : plain;
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
    ...(allowsEverything && { authorizationMode: "AlwaysAllow" }),
    ...(spec.isTraced && { tracing: { store, record: store.add } }),
    ...(path !== undefined && { audit: { policy: { rules: [{ level: "Metadata" }] }, log: { ...unlimited, path } } }),
  });
  return (await server.listen(stop.signal)).port;
}

/** A server that only sends bytes, for comparison. */
function serveBare({ ca, serving, bodies = {} }: ServerSpec): Promise<number> {
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
    if (url === "/send-event") for (const watcher of watchers) watcher.write(bytes.get("/event")!);
    const body = bytes.get(url) ?? Buffer.from("{}");
    response.writeHead(200, { "content-type": "application/json", "content-length": body.length });
    response.end(body);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port)));
}

function start(spec: ServerSpec): Promise<number> {
  if (spec.serve === "bare") return serveBare(spec);
  return spec.serve === "open" ? serveOpen(spec) : serveApi(spec);
}

const usage = (): Usage => {
  const { user, system } = process.cpuUsage();
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpuMs: (user + system) / 1000, resident: rss, heap: heapUsed, external };
};

process.on("message", (message: ServerSpec | "usage") => {
  if (message === "usage") process.send?.(usage());
  else void start(message).then((port) => process.send?.({ port }));
});
process.on("disconnect", () => process.exit());
