// The kubelet's HTTPS server: logs, exec, attach, port forwarding, metrics. Every request is checked first (access.ts).
import type { KubeletSettings, KubeletView } from "../kubelet.ts";
import { isRunning } from "../pod/runs.ts";
import type { Inventory } from "../runtime.ts";
import type { IncomingMessage, ServerResponse } from "node:http";
import https from "node:https";
import { type Key, key } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import { type PodMetrics, podMetrics } from "../metrics/pod-metrics.ts";
import type { RotatingCertificate } from "../certificates/rotation.ts";
import type { CheckAccess } from "./access.ts";
import { serveLogs, serveNodeLogs } from "./logs.ts";
import { Refused } from "./find-container.ts";
import { cadvisorMetrics, resourceMetrics, statsSummary } from "./node-metrics.ts";
import { statusOf, upgrade } from "./upgrades.ts";
import { volumeMetrics } from "../volumes/volume-stats.ts";
import { type UsageSamples, usageSamples } from "./usage-samples.ts";

/** The pods with running containers, from the engine's list. */
export function runningPods({ containers }: Inventory): object {
  const items = [...Map.groupBy(containers.filter(isRunning), (run) => run.pod.uid).values()].map((runs) => ({
    metadata: { ...runs[0]!.pod },
    spec: { containers: runs.map(({ name, image }) => ({ name, image, resources: {} })) },
    status: {},
  }));
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

const seconds = (ms: number): string => `${ms / 1_000}s`;
/** The settings under the names of KubeletConfiguration. */
const configuration = (s: KubeletSettings): object => ({
  kubeletconfig: {
    port: s.kubeletPort,
    podCIDR: s.podCidr ?? "",
    maxPods: s.capacity.pods,
    clusterDomain: s.clusterDomain,
    clusterDNS: [s.clusterDns],
    nodeLeaseDurationSeconds: s.times.leaseDurationSeconds,
    nodeStatusReportFrequency: seconds(s.times.statusReportMs),
    nodeStatusUpdateFrequency: seconds(s.times.statusCheckMs),
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true, cacheTTL: "2m0s" } },
    authorization: { mode: "Webhook", webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" } },
    rotateCertificates: true,
    serverTLSBootstrap: true,
    enableServer: true,
  },
});

/** Where the server listens, and by what it is trusted and trusts. */
export interface ServerListening {
  readonly host: string;
  /** The authority of clients, as PEM. */
  readonly ca: string;
  /** The server's own certificate. Until there is one, no connection succeeds. */
  readonly serving: Pick<RotatingCertificate, "current" | "onRenewed">;
  readonly check: CheckAccess;
}

interface ServerState {
  readonly view: KubeletView;
  readonly samples: UsageSamples;
  readonly scraped: PodMetrics;
  readonly startedAt: number;
}

const urlOf = (request: IncomingMessage): URL => new URL(request.url ?? "/", "https://kubelet");
const metricsType = "text/plain; version=0.0.4; charset=utf-8";
const plain = (response: ServerResponse, body: string, type = "text/plain; charset=utf-8"): void =>
  void response.writeHead(200, { "content-type": type }).end(body);
const json = (response: ServerResponse, body: object): void => {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
};

async function summary({ samples, view, startedAt }: ServerState): Promise<object> {
  const { nodeName: name, capacity } = view.settings;
  const node = { name, memoryBytes: capacity.memoryBytes, startedAt };
  return statsSummary(node, await samples.latest(), await view.volumes());
}

/** The folder of the node's own logs. */
const logFolder = "/var/log";

type Handler = (state: ServerState, response: ServerResponse, signal: AbortSignal) => Promise<void> | void;
/** Handlers of fixed paths. */
const handlers: Readonly<Record<string, Handler>> = {
  "/healthz": (_, response) => plain(response, "ok"),
  "/pods": ({ view }, response) =>
    json(response, { kind: "PodList", apiVersion: "v1", metadata: {}, items: view.pods.lister.all() }),
  "/runningpods": async ({ view }, response, signal) =>
    json(response, runningPods(await view.runtime.list(undefined, signal))),
  "/stats/summary": async (state, response) => json(response, await summary(state)),
  "/configz": ({ view }, response) => json(response, configuration(view.settings)),
  "/metrics": async ({ view }, response) => {
    // Loaded on demand: the metrics library is a fifth of an agent's code.
    const { processMetrics } = await import("./process-metrics.ts");
    const others = (await view.componentMetrics?.()) ?? "";
    const volumes = volumeMetrics(await view.volumes());
    plain(response, `${await processMetrics.metrics()}${others}${volumes}`, processMetrics.contentType);
  },
  "/metrics/resource": async ({ samples }, response) =>
    plain(response, resourceMetrics(await samples.latest()), metricsType),
  "/metrics/cadvisor": async ({ samples }, response) =>
    plain(response, cadvisorMetrics(await samples.latest()), metricsType),
  "/metrics/pods": ({ scraped }, response) => json(response, { items: scraped.latest() }),
  "/metrics/pods/text": ({ scraped }, response) => json(response, { items: scraped.texts() }),
  "/metrics/services": async ({ view }, response) =>
    plain(response, (await view.serviceMetrics?.()) ?? "", metricsType),
};

/** What is explained at a path that ends in the namespace and the name of an object, by the first step of the path. */
const explained: Readonly<Record<string, (view: KubeletView, key: Key) => readonly object[]>> = {
  decisions: (view, key) => view.decisions.of(key),
  serviceRules: (view, key) => {
    if (!view.explainService) throw new Refused(501, "this kubelet does not run the network of its node");
    return view.explainService(key);
  },
};

interface RequestResponse {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}
async function route(state: ServerState, { request, response }: RequestResponse, signal: AbortSignal): Promise<void> {
  const { pathname, searchParams } = urlOf(request);
  const [what, namespace = "", pod = "", container = ""] = pathname.slice(1).split("/").map(decodeURIComponent);
  const handler = handlers[pathname.replace(/(?<=.)\/$/, "")];
  const explains = explained[what ?? ""];
  const isKnown = handler !== undefined || explains !== undefined || what === "containerLogs" || what === "logs";
  if (isKnown && request.method !== "GET" && request.method !== "HEAD")
    throw new Refused(405, "Method Not Allowed", { Allow: ["GET"] });
  if (handler) return handler(state, response, signal);
  if (explains) return json(response, { items: explains(state.view, key(namespace, pod)) });
  if (what === "containerLogs")
    return serveLogs(state.view, { namespace, pod, container }, searchParams, response, signal);
  if (what === "logs") return serveNodeLogs(logFolder, decodeURIComponent(pathname.slice("/logs".length)), response);
  throw new Refused(404, "404 page not found");
}

async function serve(
  state: ServerState,
  { request, response }: RequestResponse,
  check: CheckAccess,
  signal: AbortSignal,
): Promise<void> {
  // A client that disconnects aborts its request.
  const left = new AbortController();
  response.once("close", () => left.abort());
  try {
    await check(request);
    await route(state, { request, response }, AbortSignal.any([signal, left.signal]));
  } catch (e) {
    if (response.headersSent) response.destroy();
    else {
      const more =
        e instanceof Refused ? Object.fromEntries(Object.entries(e.headers).map(([n, v]) => [n, [...v]])) : {};
      response.writeHead(statusOf(e), { "content-type": "text/plain", ...more }).end((e as Error).message);
    }
  }
}

/** Of the request line and the headers, in bytes: the command of an exec travels in the query. Go's default. */
const maxHeaderSize = 1024 * 1024;

/** Listens until the signal aborts. */
export async function serveKubelet(
  { host, ca, serving, check }: ServerListening,
  view: KubeletView,
  signal: AbortSignal,
): Promise<void> {
  const state = {
    view,
    samples: usageSamples(view.runtime, view.world),
    scraped: podMetrics(view.pods.lister, view.world),
    startedAt: view.world.clock.now(),
  };
  const clients = { requestCert: true, rejectUnauthorized: false };
  const server = https.createServer({ ca, ...serving.current(), ...clients, maxHeaderSize });
  // Connections keep the certificate they began with.
  serving.onRenewed((pair) => server.setSecureContext({ ca, ...pair }));
  server.on("request", (request, response) => void serve(state, { request, response }, check, signal));
  server.on("upgrade", (request, socket, head) => void upgrade(view, { request, socket, head }, check, signal));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(view.settings.kubeletPort, host, () => resolve());
  });
  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  const off = onAbort(signal, () => {
    server.close();
    server.closeAllConnections();
  });
  await Promise.all([state.samples.run(signal), state.scraped.run(signal), closed]);
  off();
}
