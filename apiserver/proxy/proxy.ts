// Proxies requests and upgrades to nodes, pods and services.
import type { IncomingMessage } from "node:http";
import { ApiError } from "../../api/errors.ts";
import { onAbort } from "../../machinery/abort.ts";
import { dialError } from "../kubelets/dial-error.ts";
import type { ApiReply, ApiRequest, Extension, StreamReply } from "../request/request-response.ts";
import { echo, join, refuse, type Upgrade } from "../streaming/tunnel.ts";
import type { Kubelets } from "../kubelets/kubelets.ts";
import type { Registry } from "../registry/verbs.ts";
import { defaultPort, hostOf, type Letter, type Outgoing, sendTo } from "./outgoing.ts";
import {
  type Asked,
  type Lines,
  requestHeaders,
  responseHeaders,
  throughProxy,
  upgradeHeaders,
} from "./proxy-headers.ts";
import { rewritten } from "./proxy-pages.ts";
import { type ProxyPath, proxyPath } from "./proxy-path.ts";
import { type Behind, behind } from "./proxy-target.ts";

const unreachable = (e: NodeJS.ErrnoException, to: Behind): ApiError =>
  new ApiError(
    "ServiceUnavailable",
    `error trying to reach service: ${dialError(e, to.host, to.port || defaultPort(to))}`,
  );

async function answerOf(out: Outgoing, letter: Letter, { upload, signal }: ApiRequest): Promise<IncomingMessage> {
  const upstream = await sendTo(out, letter).catch((e: Error) => {
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

/** A body of unknown length has to say so: the client's own word for it was about its connection. */
const framing = ({ upload, headers }: ApiRequest): Lines =>
  upload && headers["content-length"] === undefined ? { "transfer-encoding": "chunked" } : {};

async function passOn(out: Outgoing, path: ProxyPath, request: ApiRequest, search: string): Promise<StreamReply> {
  const { headers } = request;
  const upstream: Asked = {
    host: String(headers.host ?? headers[":authority"] ?? ""),
    prefix: path.prefix,
    from: request.from,
  };
  const letter = {
    method: request.method,
    path: `${path.rest || "/"}${search}`,
    headers: { ...requestHeaders(headers, upstream, path.rest), ...framing(request) },
  };
  const response = await answerOf(out, letter, request);
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
  (registry: Registry, kubelets: Kubelets): Extension =>
  (request) => {
    const path = proxyPath(request.path);
    return path && serve(registry, kubelets, path, request);
  };

async function serve(registry: Registry, kubelets: Kubelets, path: ProxyPath, request: ApiRequest): Promise<ApiReply> {
  checked(request);
  const to = await behind(registry, kubelets, path);
  const query = String(request.query);
  const search = request.search ?? (query === "" ? "" : `?${query}`);
  // Relative links on the page behind need a directory to start from.
  if (path.rest === "" && ["GET", "HEAD"].includes(request.method))
    return { status: 301, body: "", headers: { location: `${request.path}/${search}` } };
  return passOn({ kubelets, clock: registry.world.clock, to }, path, request, search);
}

/** Passes on a request that is to become something else than HTTP. */
export async function proxyUpgrade(
  registry: Registry,
  kubelets: Kubelets,
  path: ProxyPath,
  upgrade: Upgrade,
): Promise<void> {
  const { request, socket, search } = upgrade;
  const to = await behind(registry, kubelets, path);
  const { remoteAddress: from } = request.socket;
  const headers = upgradeHeaders(request.headers, { host: request.headers.host ?? "", prefix: path.prefix, from });
  const letter = { method: request.method ?? "GET", path: `${path.rest || "/"}${search}`, headers };
  const failed = (e: NodeJS.ErrnoException): void =>
    refuse(socket, new ApiError("Unknown", `error dialing backend: ${dialError(e, to.host, to.port)}`));
  const upstream = await sendTo({ kubelets, clock: registry.world.clock, to }, letter).catch(failed);
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
