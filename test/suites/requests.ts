// Asking a server that listens as somebody would who knows nothing of us: bare requests, and what comes back.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TestServer } from "./listening.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}
export interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** Whose certificate is shown; the administrator's when nothing is said. */
  readonly as?: { readonly cert: string; readonly key: string } | "nobody";
}
export interface Asker {
  /** A request over HTTP/1.1, answered by its beginning; the text comes when somebody reads it. */
  begin(path: string, asking?: Asking): Promise<IncomingMessage>;
  ask(path: string, asking?: Asking): Promise<Answer>;
  /** The answer to a GET, parsed. */
  get(path: string): Promise<Record<string, any>>;
}

export function askerOf(server: TestServer): Asker {
  const begin: Asker["begin"] = (path, { method = "GET", headers = {}, body, as } = {}) => {
    const identity = as === "nobody" ? {} : (as ?? server.admin);
    return new Promise((resolve, reject) => {
      const asked = httpsRequest(
        `${server.url}${path}`,
        { method, headers, ca: server.ca, ...identity, agent: false },
        resolve,
      );
      asked.on("error", reject);
      asked.end(body);
    });
  };
  const ask: Asker["ask"] = async (path, asking) => {
    const response = await begin(path, asking);
    let text = "";
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  };
  return { begin, ask, get: async (path) => parsed(await ask(path)) };
}

export const json = { "content-type": "application/json" };
export const parsed = ({ text }: Answer): Record<string, any> => JSON.parse(text);

/** The first events of a watch, which is left then. */
export async function lines(response: AsyncIterable<Buffer | string>, count: number): Promise<any[]> {
  const found: any[] = [];
  let rest = "";
  for await (const chunk of response) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop()!;
    found.push(...parts.map((line) => JSON.parse(line)));
    if (found.length >= count) break;
  }
  return found;
}
