// orrery proxy: serves the API of the cluster, and local files, on a local port or socket.
import { once } from "node:events";
import { rmSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { type ApiProxy, apiProxy } from "../client/api-proxy.ts";
import {
  apiPathOf,
  defaultPatterns,
  prefixWithSlash,
  type ProxiedRequest,
  type ProxyPatterns,
  proxyFilter,
  redirectOf,
} from "../client/proxy-rules.ts";
import { session } from "../client/session.ts";
import { notFound, plainText, redirect, serveFile } from "../client/static-files.ts";
import { duration, integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine, warn } from "../program/output.ts";

interface Flags extends GlobalFlags, ProxyPatterns {
  readonly port: number;
  readonly address: string;
  readonly unixSocket?: string;
  readonly www?: string;
  readonly wwwPrefix: string;
  readonly apiPrefix: string;
  readonly appendServerPath?: boolean;
  readonly disableFilter?: boolean;
  readonly keepalive: number;
}

const defaultPort = 8001;

/** Warns of a folder that cannot be served. */
function checkFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (!stats) warn(`Failed to stat static file directory ${folder}: stat ${folder}: no such file or directory`);
  else if (!stats.isDirectory()) warn(`Static file directory ${folder} is not a directory`);
}

/** Checks flags. Throws CliError in kubectl's words. Returns which requests are accepted. */
function check(flags: Flags): (request: ProxiedRequest) => boolean {
  if (flags.port !== defaultPort && flags.unixSocket)
    throw new CliError("cannot set --unix-socket and --port at the same time");
  if (flags.port < 0 || flags.port > 65_535) throw new CliError(`listen tcp: address ${flags.port}: invalid port`);
  const filter = proxyFilter(flags);
  if (flags.www) checkFolder(flags.www);
  if (flags.disableFilter && !flags.unixSocket)
    warn("Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious");
  return flags.disableFilter ? () => true : filter;
}

interface Routes {
  readonly accepts: (request: ProxiedRequest) => boolean;
  readonly api: ApiProxy;
  readonly apiPrefix: string;
  readonly www: string | undefined;
  readonly wwwPrefix: string;
}

/** The decoded path of a request, and its query. Undefined for a path that cannot be decoded. */
function partsOf(url: string): { readonly path: string; readonly raw: string; readonly query: string } | undefined {
  const at = url.indexOf("?");
  const raw = at < 0 ? url : url.slice(0, at);
  try {
    return { path: decodeURIComponent(raw), raw, query: at < 0 ? "" : url.slice(at) };
  } catch {
    return undefined;
  }
}

/** The path at the API server, or the status of a refusal. */
function admitted(routes: Routes, { method = "GET", url = "/", headers }: IncomingMessage): string | 400 | 403 | 404 {
  const parts = partsOf(url);
  if (!parts) return 400;
  const path = apiPathOf(parts.path, routes.apiPrefix);
  if (path === undefined) return 404;
  if (!routes.accepts({ method, path, host: headers.host ?? "" })) return 403;
  return (apiPathOf(parts.raw, routes.apiPrefix) ?? path) + parts.query;
}

function handle(routes: Routes, request: IncomingMessage, response: ServerResponse): void {
  const { www, wwwPrefix, apiPrefix, api } = routes;
  const parts = partsOf(request.url ?? "/");
  const location = parts && redirectOf(parts.path, www === undefined ? [apiPrefix] : [apiPrefix, wwwPrefix]);
  if (location !== undefined) {
    const { href, search } = new URL(`http://x${encodeURI(location)}${parts!.query}`);
    redirect(response, href.slice("http://x".length) || search, 307);
    return;
  }
  const hasFile = www !== undefined && parts?.path.startsWith(wwwPrefix) && wwwPrefix.length >= apiPrefix.length;
  if (hasFile) {
    serveFile(request, response, www, parts!.path.slice(wwwPrefix.length)).catch(() => response.destroy());
    return;
  }
  const path = admitted(routes, request);
  if (path === 403) plainText(response, 403, "Forbidden");
  else if (path === 400) plainText(response, 400, "400 Bad Request");
  else if (path === 404) notFound(response);
  else api.pass(request, response, path);
}

function handleUpgrade(routes: Routes, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const path = admitted(routes, request);
  if (typeof path === "string") routes.api.passUpgrade(request, socket, head, path);
  else socket.end(`HTTP/1.1 ${path} ${path === 403 ? "Forbidden" : "Not Found"}\r\nconnection: close\r\n\r\n`);
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "bind: address already in use",
  EADDRNOTAVAIL: "bind: cannot assign requested address",
  EACCES: "bind: permission denied",
  ENOENT: "bind: no such file or directory",
  ENOTFOUND: "no such host",
};

/** Listens, and returns the address. Throws CliError in Go's words. */
async function listen(server: Server, { unixSocket, address, port, keepalive }: Flags): Promise<string> {
  // A socket that a dead process has left; and only for this user.
  if (unixSocket && statSync(unixSocket, { throwIfNoEntry: false })?.isSocket()) rmSync(unixSocket);
  const mask = unixSocket ? process.umask(0o077) : undefined;
  server.listen(unixSocket ? { path: unixSocket } : { port, host: address });
  if (mask !== undefined) process.umask(mask);
  if (keepalive > 0) server.on("connection", (socket) => socket.setKeepAlive(true, keepalive));
  const host = address.includes(":") ? `[${address}]` : address;
  try {
    await once(server, "listening");
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const where = unixSocket ? `unix ${unixSocket}` : `tcp ${host}:${port}`;
    throw new CliError(`listen ${where}: ${reasons[code] ?? message}`);
  }
  return unixSocket ?? `${host}:${(server.address() as AddressInfo).port}`;
}

const proxy = async (_args: readonly string[], flags: Flags): Promise<void> => {
  const accepts = check(flags);
  const { api } = await session(flags);
  const { pathname } = new URL(api.access.server);
  if (!flags.appendServerPath && pathname !== "/")
    warn(
      `Your kube context contains a server path ${pathname}, use --append-server-path to automatically append the path to each request`,
    );
  const routes: Routes = {
    accepts,
    api: apiProxy(api.access, flags.appendServerPath === true),
    apiPrefix: prefixWithSlash(flags.apiPrefix),
    www: flags.www || undefined,
    wwwPrefix: prefixWithSlash(flags.wwwPrefix),
  };
  const server = createServer((request, response) => handle(routes, request, response));
  server.on("upgrade", (request, socket, head) => handleUpgrade(routes, request, socket, head));
  // Watches have no end.
  server.requestTimeout = 0;
  printLine(`Starting to serve on ${await listen(server, flags)}`);
};

/** Adds `proxy` to the program. */
export const register = (program: Command): void => {
  program
    .command("proxy [args...]")
    .usage("[--port=PORT] [--www=FOLDER] [--www-prefix=PREFIX] [--api-prefix=PREFIX] [options]")
    .option("-p, --port <n>", "the port to listen on; 0 for a random one", integer, defaultPort)
    .option("--address <address>", "the IP address to listen on", "127.0.0.1")
    .option("-u, --unix-socket <path>", "a socket to listen on instead")
    .option("-w, --www <folder>", "a folder of files to serve too")
    .option("-P, --www-prefix <path>", "the prefix of their paths", "/static/")
    .option("--api-prefix <path>", "the prefix of the API's paths", "/")
    .option("--append-server-path", "append the path of the kubeconfig's server to each request")
    .option("--accept-hosts <patterns>", "accept requests for these hosts only", defaultPatterns.acceptHosts)
    .option("--accept-paths <patterns>", "accept these paths only", defaultPatterns.acceptPaths)
    .option("--reject-paths <patterns>", "reject these paths, even if accepted", defaultPatterns.rejectPaths)
    .option("--reject-methods <patterns>", "reject these methods", defaultPatterns.rejectMethods)
    .option("--disable-filter", "accept all requests, also those of any page in a browser here")
    .option("--keepalive <duration>", "how often idle connections are probed; 0 never", duration, 0)
    .addHelpText("after", "\nExamples:\n  orrery proxy\n  orrery proxy --port=0 --www=./site")
    .action(proxy);
};
