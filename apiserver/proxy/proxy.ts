// Proxies requests and upgrades to nodes, pods and services: dialled directly, or through the kubelet of the pod.
import { type IncomingHttpHeaders, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../machinery/world.ts";
import { type Kubelets, connectToPod, dialError, limitWait } from "../kubelets/kubelets.ts";
import { type ProxyTarget, type ProxyPath, proxyPath, proxyTarget } from "./target.ts";
import { ApiError } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { ApiReply, ApiRequest, Handler, StreamReply } from "../request/request-response.ts";
import { type Upgrade, echo, join, refuse } from "../streaming/tunnel.ts";
import { nowhere } from "../registry/refusals.ts";
import type { Registry } from "../registry/verbs.ts";
import { rewritten } from "./pages.ts";

/** Headers by name; several values are several lines. */
export type Lines = Readonly<Record<string, string | string[]>>;

/** Headers that hold for one connection only, and `http2-settings`, which the next connection may not understand. */
const hopByHop = new Set([
  ...["connection", "proxy-connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"],
  ...["trailer", "transfer-encoding", "upgrade", "http2-settings"],
]);
/** Headers with the client's credentials, which are not forwarded. `Expect` is handled by this server. */
const isOwnHeader = (name: string): boolean =>
  name === "authorization" || name === "expect" || name.startsWith("impersonate-") || name.startsWith(":");
const isCors = (name: string): boolean => /^access-control-allow-(credentials|headers|methods|origin)$/.test(name);

const listed = (header: string | readonly string[] | undefined): readonly string[] =>
  String(header ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase());

/** The client's side of a proxied request. */
export interface ProxyContext {
  /** The host in the client's request. */
  readonly host: string;
  /** The path of the proxy. */
  readonly prefix: string;
  /** The client's address. */
  readonly from: string | undefined;
}

/** Headers to be sent on, except those that are dropped; the client's address is added to `x-forwarded-for`. */
function forwarded(
  headers: IncomingHttpHeaders,
  { host, from }: ProxyContext,
  isDropped: (name: string) => boolean,
): Lines {
  const kept = Object.entries(headers).filter(
    ([name, value]) => value !== undefined && !isOwnHeader(name) && !isDropped(name),
  );
  const addresses = [headers["x-forwarded-for"], from].filter((value) => value !== undefined).join(", ");
  return {
    ...(Object.fromEntries(kept) as Lines),
    host,
    ...(addresses !== "" && { "x-forwarded-for": addresses }),
  };
}

/** The headers of the request to the target; `uri` is its path there. */
export function requestHeaders(headers: IncomingHttpHeaders, context: ProxyContext, uri: string): Lines {
  const named = listed(headers.connection);
  return {
    ...forwarded(headers, context, (name) => hopByHop.has(name) || named.includes(name)),
    "x-forwarded-uri": `${context.prefix}${uri}`,
  };
}

/** The headers of a request that upgrades its connection, whose own headers have to pass. */
export const upgradeHeaders = (headers: IncomingHttpHeaders, context: ProxyContext): Lines =>
  forwarded(headers, context, () => false);

/** The headers of the response. */
export function responseHeaders(headers: NodeJS.Dict<string[]>): Record<string, string | string[]> {
  const named = listed(headers["connection"]);
  const kept = Object.entries(headers).filter(
    ([name]) => !hopByHop.has(name) && !isCors(name) && !named.includes(name),
  );
  return Object.fromEntries(kept.map(([name, values = []]) => [name, values.length === 1 ? values[0]! : values]));
}

const url = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(.*)$/is;

/**
 * A link on a page of the target, made to lead through the proxy. Links to other hosts and relative ones are unchanged;
 * `target` is the host the page came from.
 */
export function throughProxy(
  link: string,
  target: string,
  { host, prefix }: Pick<ProxyContext, "host" | "prefix">,
): string {
  const [, scheme, place = "", path = "", after = ""] = url.exec(link) ?? [];
  const elsewhere = place !== "" && place !== target && place !== host;
  if (elsewhere || !path.startsWith("/")) return link;
  const origin = place === host && scheme !== undefined ? `${scheme}://${place}` : "";
  return `${origin}${path.startsWith(prefix) ? path : `${prefix}${path}`}${after}`;
}

/** Limit for a connection to be made. */
const connectWithinMs = 30_000;

/** The host and port as links name them. */
export const hostOf = ({ host, port }: ProxyTarget): string => {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === "" ? name : `${name}:${port}`;
};

/** The port of a scheme for which none is named. */
export const defaultPort = ({ scheme }: ProxyTarget): string => (scheme === "https" ? "443" : "80");

/** The way to a target. */
export interface Outgoing {
  readonly kubelets: Kubelets;
  readonly clock: Clock;
  readonly to: ProxyTarget;
}
/** A request to the target. */
export interface OutgoingRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Lines;
}

/** The connection to a pod that is reached through its kubelet; others are dialled when the request is made. */
async function dialled({ kubelets, clock, to }: Outgoing): Promise<Duplex | undefined> {
  if (!to.pod) return undefined;
  const port = Number(to.port || defaultPort(to));
  const connection = await connectToPod(kubelets, to.pod, port, { clock, withinMs: connectWithinMs });
  return to.scheme === "https" ? connectTls({ socket: connection, rejectUnauthorized: false }) : connection;
}

/** Begins a request; it is given up when no connection is made in time. */
export async function sendTo(out: Outgoing, { method, path, headers }: OutgoingRequest): Promise<ClientRequest> {
  const { clock, to } = out;
  if (to.port !== "" && !/^\d+$/.test(to.port)) throw new Error(`dial tcp: lookup tcp/${to.port}: unknown port`);
  const connection = await dialled(out);
  const outgoing = { host: to.host, port: to.port || undefined, method, path, headers };
  if (connection) return httpRequest({ ...outgoing, createConnection: () => connection });
  const ask = to.scheme === "https" ? httpsRequest : httpRequest;
  const upstream = ask({ ...outgoing, agent: false, ...(to.tls ?? { rejectUnauthorized: false }) });
  const connected = limitWait(upstream, clock, connectWithinMs);
  upstream.once("socket", (socket) => socket.once("connect", () => connected.abort()));
  return upstream;
}

const unreachable = (e: NodeJS.ErrnoException, to: ProxyTarget): ApiError =>
  new ApiError(
    "ServiceUnavailable",
    `error trying to reach service: ${dialError(e, to.host, to.port || defaultPort(to))}`,
  );

async function answerOf(
  out: Outgoing,
  outgoing: OutgoingRequest,
  { upload, signal }: ApiRequest,
): Promise<IncomingMessage> {
  const upstream = await sendTo(out, outgoing).catch((e: Error) => {
    throw unreachable(e, out.to);
  });
  return new Promise((resolve, reject) => {
    upstream.once("response", resolve);
    upstream.once("error", (e) => reject(unreachable(e, out.to)));
    upstream.once(
      "close",
      onAbort(signal, () => upstream.destroy()),
    );
    if (upload) upload.pipe(upstream);
    else upstream.end();
  });
}

/** A body of unknown length is chunked: the client's own framing was about its connection. */
const framing = ({ upload, headers }: ApiRequest): Lines =>
  upload && headers["content-length"] === undefined ? { "transfer-encoding": "chunked" } : {};

async function passOn(out: Outgoing, path: ProxyPath, request: ApiRequest, search: string): Promise<StreamReply> {
  const { headers } = request;
  const upstream: ProxyContext = {
    host: String(headers.host ?? headers[":authority"] ?? ""),
    prefix: path.prefix,
    from: request.from,
  };
  const outgoing = {
    method: request.method,
    path: `${path.rest || "/"}${search}`,
    headers: { ...requestHeaders(headers, upstream, path.rest), ...framing(request) },
  };
  const response = await answerOf(out, outgoing, request);
  const responseFields = responseHeaders(response.headersDistinct);
  const rewrite = (link: string): string => throughProxy(link, hostOf(out.to), upstream);
  const status = response.statusCode ?? 502;
  if (typeof responseFields["location"] === "string")
    return { status, headers: { ...responseFields, location: rewrite(responseFields["location"]) }, stream: response };
  const page = request.method === "HEAD" ? undefined : await rewritten(response, rewrite);
  if (page === undefined) return { status, headers: responseFields, stream: response };
  const { "content-length": _, ...rest } = responseFields;
  return { status, headers: { ...rest, ...(page.length && { "content-length": page.length }) }, stream: page.stream };
}

function checked(request: ApiRequest): void {
  if (request.query.getAll("dryRun").some((value) => value !== ""))
    throw new ApiError("BadRequest", "dryRun is not supported");
}

/** Serves the proxies to nodes, pods and services. */
export const proxies =
  (kubelets: Kubelets): Handler =>
  ({ registry, request }) => {
    const path = proxyPath(request.path);
    if (!path) throw nowhere();
    return serve(registry, kubelets, path, request);
  };

async function serve(registry: Registry, kubelets: Kubelets, path: ProxyPath, request: ApiRequest): Promise<ApiReply> {
  checked(request);
  const to = await proxyTarget(registry, kubelets, path);
  const query = String(request.query);
  const search = request.search ?? (query === "" ? "" : `?${query}`);
  // Relative links on the page need a directory to start from.
  if (path.rest === "" && ["GET", "HEAD"].includes(request.method))
    return { status: 301, body: "", headers: { location: `${request.path}/${search}` } };
  return passOn({ kubelets, clock: registry.world.clock, to }, path, request, search);
}

/** Passes on a request that upgrades its connection. */
export async function proxyUpgrade(
  registry: Registry,
  kubelets: Kubelets,
  path: ProxyPath,
  upgrade: Upgrade,
): Promise<void> {
  const { request, socket, search } = upgrade;
  const to = await proxyTarget(registry, kubelets, path);
  const { remoteAddress: from } = request.socket;
  const headers = upgradeHeaders(request.headers, { host: request.headers.host ?? "", prefix: path.prefix, from });
  const outgoing = { method: request.method ?? "GET", path: `${path.rest || "/"}${search}`, headers };
  const failed = (e: NodeJS.ErrnoException): void =>
    refuse(socket, new ApiError("Unknown", `error dialing backend: ${dialError(e, to.host, to.port)}`));
  const upstream = await sendTo({ kubelets, clock: registry.world.clock, to }, outgoing).catch(failed);
  if (!upstream) return;
  join(upgrade, upstream, {
    onResponse(response) {
      const code = response.statusCode ?? 0;
      if (code >= 400) echo(socket, response);
      else refuse(socket, new ApiError("Unknown", `invalid upgrade response: status code ${code}`));
    },
    failed,
  });
}
