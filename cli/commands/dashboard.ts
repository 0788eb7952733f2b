// orrery dashboard: serves the dashboard on a local port, with the credentials of the kubeconfig.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { type ApiProxy, apiProxy } from "../client/api-proxy.ts";
import { type GateDecision, type GateSecrets, gate } from "../client/browser-gate.ts";
import { session } from "../client/session.ts";
import { notFound, plainText, serveFile } from "../client/static-files.ts";
import { checkout } from "../paths.ts";
import { integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

interface Flags extends GlobalFlags {
  readonly port: number;
}

/** Nothing but the page's own files runs or is loaded, and no site can show the page in a frame of its own. */
const pageHeaders = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cache-control": "no-store",
};
const folder = join(checkout, "build", "dashboard");
/** Only these: a folder's listing or another file is not part of the page. */
const files: readonly string[] = ["index.html", "main.js", "style.css"];

function respondWithFile(file: string, request: IncomingMessage, response: ServerResponse): void {
  for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
  if (!files.includes(file)) notFound(response);
  else serveFile(request, response, folder, file === "index.html" ? "" : file).catch(() => response.destroy());
}

function respond(api: ApiProxy, decision: GateDecision, request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? "/";
  const path = url.replace(/\?.*$/s, "");
  if (decision.kind === "refuse") plainText(response, decision.status, decision.message);
  else if (decision.kind === "sign-in")
    response.writeHead(303, { ...pageHeaders, location: "/dashboard/", "set-cookie": decision.cookie }).end();
  else if (path.startsWith("/dashboard/"))
    respondWithFile(path.slice("/dashboard/".length) || "index.html", request, response);
  else api.pass(request, response, url);
}

const dashboard = async (_args: readonly string[], flags: Flags): Promise<void> => {
  const { api } = await session(flags);
  const proxy = apiProxy(api.access, true);
  const server = createServer();
  // Watches have no end.
  server.requestTimeout = 0;
  server.listen({ port: flags.port, host: "127.0.0.1" });
  await once(server, "listening").catch((error: Error) => {
    throw new CliError(`cannot listen on 127.0.0.1:${flags.port}: ${error.message}`);
  });
  const secret = (): string => randomBytes(32).toString("base64url");
  const authority = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const secrets: GateSecrets = { authority, token: secret(), session: secret() };
  let tokenUsed = false;
  server.on("request", (request, response) => {
    const decision = gate({ url: request.url ?? "/", headers: request.headers }, secrets, tokenUsed);
    tokenUsed ||= decision.kind === "sign-in";
    respond(proxy, decision, request, response);
  });
  printLine(`http://${authority}/dashboard/?token=${secrets.token}`);
};

/** Adds `dashboard` to the program. */
export const register = (program: Command): void => {
  program
    .command("dashboard [args...]")
    .usage("[--port=PORT]")
    .option("-p, --port <n>", "the port to listen on; 0 for a random one", integer, 0)
    .addHelpText("after", "\nThe URL that it prints signs one browser in, once.\n\nExamples:\n  orrery dashboard")
    .action(dashboard);
};
