// Requests to extenders over HTTP and HTTPS, with errors in the words of Go's HTTP client.
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest, type AgentOptions } from "node:https";
import { abortedWith } from "../../machinery/abort.ts";
import type { Clock } from "../../machinery/world.ts";
import type { Send } from "./extender.ts";
import { type ExtenderConfig, timeoutOf } from "./extender-config.ts";

interface Response {
  readonly status: number;
  readonly body: string;
}

const decoded = (base64: string | undefined): Buffer | undefined =>
  base64 === undefined ? undefined : Buffer.from(base64, "base64");

/** Certificates are not verified without an authority, as in kube-scheduler. */
function tlsOptions({ tlsConfig = {}, enableHTTPS = false }: ExtenderConfig): AgentOptions {
  const { insecure = false, serverName, certData, keyData, caData } = tlsConfig;
  const isVerified = !insecure && !(enableHTTPS && caData === undefined);
  return {
    ...{ cert: decoded(certData), key: decoded(keyData), ca: decoded(caData), rejectUnauthorized: isVerified },
    ...(serverName !== undefined && { servername: serverName }),
  };
}

/** The error of Go's HTTP client. */
function goError(error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }): string {
  const { code, address = "", port } = error;
  switch (code) {
    case "ECONNREFUSED":
      return `dial tcp ${address.includes(":") ? `[${address}]` : address}:${port}: connect: connection refused`;
    case "ECONNRESET":
      return "EOF";
    case "ENOTFOUND":
      return `dial tcp: lookup ${(error as { hostname?: string }).hostname ?? ""}: no such host`;
    default:
      return error.message;
  }
}

/** Sends to an extender; connections are kept open between requests. */
export function extenderRequests(config: ExtenderConfig, clock: Clock): Send {
  const { urlPrefix = "" } = config;
  const timeoutMs = timeoutOf(config);
  const isSecure = urlPrefix.startsWith("https:");
  const agent = isSecure
    ? new HttpsAgent({ keepAlive: true, ...tlsOptions(config) })
    : new HttpAgent({ keepAlive: true });
  const request = isSecure ? httpsRequest : httpRequest;
  const exchanged = (url: string, text: string, signal: AbortSignal): Promise<Response> =>
    new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text) };
      const sent = request(url, { method: "POST", agent, headers, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
        );
        response.once("error", reject);
      });
      sent.once("error", reject);
      sent.end(text);
    });
  return async (verb, body, outer) => {
    const url = `${urlPrefix.replace(/\/+$/, "")}/${verb}`;
    const { signal, end } = abortedWith(outer);
    const expired = clock.sleep(timeoutMs, signal).then(() => {
      throw new Error("context deadline exceeded (Client.Timeout exceeded while awaiting headers)");
    });
    try {
      const { status, body: text } = await Promise.race([exchanged(url, JSON.stringify(body), signal), expired]).catch(
        (error: Error) => {
          outer.throwIfAborted();
          throw new Error(`Post "${url}": ${goError(error)}`);
        },
      );
      if (status !== 200) throw new Error(`failed ${verb} with extender at URL ${url}, code ${status}`);
      return JSON.parse(text) as unknown;
    } finally {
      end();
    }
  };
}
