// The server responds to every malformed request with a proper status, and keeps running.
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { statusCodes } from "../../api/errors.ts";
import { seeded } from "../sim/virtual-clock.ts";
import { listeningServer, type TestServer } from "../suites/listening.ts";
import { diceOf, malformedRequest, type Request } from "./malformed-requests.ts";

const seed = Number(process.env["SEED"] ?? 1);
const cases = Number(process.env["CASES"] ?? 20_000);
const atOnce = 24;
const timeoutMs = 20_000;

let server: TestServer;
let agent: Agent;
beforeAll(async () => {
  server = await listeningServer();
  agent = new Agent({ keepAlive: true, maxSockets: atOnce, ca: server.ca, ...server.admin });
});
afterAll(async () => {
  agent.destroy();
  await server.close();
});

interface RawResponse {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}
async function read(clientRequest: ClientRequest): Promise<RawResponse> {
  const [response] = (await once(clientRequest, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const { statusCode: status = 0, headers } = response;
  return { status, type: headers["content-type"] ?? "", text: Buffer.concat(parts).toString() };
}
function send({ method, path, headers, body }: Request): Promise<RawResponse> {
  const clientRequest = request(server.url, { agent, method, path, headers, timeout: timeoutMs });
  clientRequest.once("timeout", () => clientRequest.destroy(new Error(`no response within ${timeoutMs / 1000} s`)));
  // An unparsable request has a response with a body, also for HEAD, since its method is unknown.
  clientRequest.on("error", () => {});
  clientRequest.end(body);
  return read(clientRequest);
}

/** Errors are a consistent `Status`, and no client request is an internal error. */
function faultOf({ status, type, text }: RawResponse, { method, path }: Request): string | undefined {
  // An invalid resource version is an internal error in Kubernetes as well.
  const isVersion = text.includes("resourceVersion: Invalid value");
  // Proxies have no backends in this cluster.
  if (status === 503 && path.includes("/proxy")) return undefined;
  if (status >= 500 && status !== 504 && !isVersion) return "is an internal error";
  if (status < 400 || method === "HEAD" || !type.startsWith("application/json")) return undefined;
  const error = JSON.parse(text) as {
    kind?: string;
    code?: number;
    reason?: keyof typeof statusCodes;
    message?: string;
  };
  if (error.kind !== "Status" || error.code !== status || !error.message) return "is no Status";
  if (error.reason !== undefined && statusCodes[error.reason] !== status) return `has reason ${error.reason}`;
  return undefined;
}
const shown = ({ method, path, headers, body }: Request): string =>
  `${method} ${path} ${JSON.stringify(headers)} ${body?.subarray(0, 400).toString("latin1") ?? ""}`;

test(`${cases} malformed requests from seed ${seed}: each has a valid response, and the server keeps running`, async () => {
  const dice = diceOf(seeded(seed));
  const faults: string[] = [];
  let left = cases;
  const tally = new Map<number, number>();
  const sender = async (): Promise<void> => {
    while (left-- > 0 && faults.length < 5) {
      const sent = malformedRequest(dice);
      const response = await send(sent).catch((e: Error) => e.message);
      const fault = typeof response === "string" ? response : faultOf(response, sent);
      if (typeof response !== "string") tally.set(response.status, (tally.get(response.status) ?? 0) + 1);
      if (fault)
        faults.push(`${shown(sent)}\n  ${fault}: ${typeof response === "string" ? "" : response.text.slice(0, 300)}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sender));
  expect(faults).toEqual([]);
  console.log(
    [...tally]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(", "),
  );
  const after = await send({ method: "GET", path: "/api/v1/namespaces/default", headers: {} });
  expect([after.status, JSON.parse(after.text).metadata.name]).toEqual([200, "default"]);
  // All classes of status occurred: otherwise the generator would only test the first check.
  for (const status of [200, 201, 400, 404, 405, 406, 409, 415, 422])
    expect(tally.get(status) ?? 0, String(status)).toBeGreaterThan(10);
}, 600_000);
