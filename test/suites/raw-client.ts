// Plain HTTPS requests to a listening server, independent of the project's client.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { TestServer } from "./listening.ts";

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}
export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** The client certificate; the administrator's by default. */
  readonly as?: { readonly cert: string; readonly key: string } | "nobody";
}
export interface RawClient {
  /** Sends a request over HTTP/1.1 and resolves with its headers and an unread body. */
  open(path: string, options?: RequestOptions): Promise<IncomingMessage>;
  send(path: string, options?: RequestOptions): Promise<RawResponse>;
  /** The parsed response of a GET. */
  get(path: string): Promise<Record<string, any>>;
}

export function rawClientOf(server: TestServer): RawClient {
  const open: RawClient["open"] = (path, { method = "GET", headers = {}, body, as } = {}) => {
    const identity = as === "nobody" ? {} : (as ?? server.admin);
    // Node.js frames the body of a DELETE only if its length is in the headers.
    const framed = method === "DELETE" && body !== undefined ? { "content-length": `${Buffer.byteLength(body)}` } : {};
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        `${server.url}${path}`,
        { method, headers: { ...framed, ...headers }, ca: server.ca, ...identity, agent: false },
        resolve,
      );
      request.on("error", reject);
      request.end(body);
    });
  };
  const send: RawClient["send"] = async (path, options) => {
    const response = await open(path, options);
    let text = "";
    for await (const chunk of response) text += chunk;
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  };
  return { open, send, get: async (path) => parsed(await send(path)) };
}

export const json = { "content-type": "application/json" };
export const parsed = ({ text }: RawResponse): Record<string, any> => JSON.parse(text);

/** The first events of a watch; the connection is closed afterwards. */
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
