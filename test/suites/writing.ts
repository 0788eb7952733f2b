// Writing to a server that listens, as a program of the name "tester" would: what is sent, what comes back, and what
// one is warned of.
import { afterAll, beforeAll } from "vitest";
import { askerOf } from "./requests.ts";
import { listeningServer, type TestServer } from "./listening.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The body, read as JSON. */
  readonly json: any;
  /** The texts of Warning headers, unquoted. */
  readonly warnings: readonly string[];
}
/** Ask a server as its administrator; what is no text is sent as JSON. */
export type Ask = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

const unquoted = (header: string): string[] =>
  [...header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
    Buffer.from(text!.replaceAll(/\\(.)/g, "$1"), "latin1").toString("utf8"),
  );

export function writerTo(server: TestServer): Ask {
  const { begin } = askerOf(server);
  return async (method, path, body, given = {}) => {
    const headers = { "user-agent": "tester/1.0", "content-type": "application/json", ...given };
    const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
    const response = await begin(path, { method, headers, ...(text !== undefined && { body: text }) });
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

/** Writing to a server that the tests of a file share: it listens before the first of them and ends after the last. */
export function writerToShared(): Ask {
  let server: TestServer;
  let ask: Ask;
  beforeAll(async () => {
    server = await listeningServer();
    ask = writerTo(server);
  });
  afterAll(() => server.close());
  return (...asked) => ask(...asked);
}
