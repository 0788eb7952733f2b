// JSON requests to a listening server with the user agent tester/1.0, and their responses and warnings.
import { afterAll, beforeAll } from "vitest";
import { rawClientOf } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

export interface JsonResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The parsed body. */
  readonly json: any;
  /** The unquoted texts of Warning headers. */
  readonly warnings: readonly string[];
}
/** Sends a request as the administrator. A body that is not a string is serialized as JSON. */
export type SendJson = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<JsonResponse>;

const unquoted = (header: string): string[] =>
  [...header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
    Buffer.from(text!.replaceAll(/\\(.)/g, "$1"), "latin1").toString("utf8"),
  );

export function jsonClientOf(server: TestServer): SendJson {
  const { open } = rawClientOf(server);
  return async (method, path, body, moreHeaders = {}) => {
    const headers = { "user-agent": "tester/1.0", "content-type": "application/json", ...moreHeaders };
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await open(path, { method, headers, ...(text !== undefined && { body: text }) });
    let read = "";
    for await (const chunk of response) read += chunk;
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      json: read.startsWith("{") ? JSON.parse(read) : read,
      warnings: (response.headersDistinct["warning"] ?? []).flatMap(unquoted),
    };
  };
}

/** A client of one server for all tests of a file, started before the first and closed after the last. */
export function sharedJsonClient(): SendJson {
  let server: TestServer;
  let send: SendJson;
  beforeAll(async () => {
    server = await listeningServer();
    send = jsonClientOf(server);
  });
  afterAll(() => server.close());
  return (...args) => send(...args);
}
