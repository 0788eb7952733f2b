// Whatever is sent to it, the server answers, with the right sort of answer, and goes on.
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

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}
async function read(clientRequest: ClientRequest): Promise<Answer> {
  const [response] = (await once(clientRequest, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part as Buffer);
  const { statusCode: status = 0, headers } = response;
  return { status, type: headers["content-type"] ?? "", text: Buffer.concat(parts).toString() };
}
function send({ method, path, headers, body }: Request): Promise<Answer> {
  const clientRequest = request(server.url, { agent, method, path, headers, timeout: timeoutMs });
  clientRequest.once("timeout", () => clientRequest.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
  // What nobody could parse is answered with a body, even where none is due: HEAD is known only to who could read it.
  clientRequest.on("error", () => {});
  clientRequest.end(body);
  return read(clientRequest);
}

/** Errors are told as a `Status` whose parts agree; nothing that a client sends is our own mistake. */
function faultOf({ status, type, text }: Answer, { method, path }: Request): string | undefined {
  // Kubernetes, too, takes a resource version that is no number for a mistake of its own.
  const isVersion = text.includes("resourceVersion: Invalid value");
  // Behind a proxy there is nobody in this cluster.
  if (status === 503 && path.includes("/proxy")) return undefined;
  if (status >= 500 && status !== 504 && !isVersion) return "says that it is our mistake";
  if (status < 400 || method === "HEAD" || !type.startsWith("application/json")) return undefined;
  const said = JSON.parse(text) as {
    kind?: string;
    code?: number;
    reason?: keyof typeof statusCodes;
    message?: string;
  };
  if (said.kind !== "Status" || said.code !== status || !said.message) return "is no Status";
  if (said.reason !== undefined && statusCodes[said.reason] !== status) return `says ${said.reason}`;
  return undefined;
}
const shown = ({ method, path, headers, body }: Request): string =>
  `${method} ${path} ${JSON.stringify(headers)} ${body?.subarray(0, 400).toString("latin1") ?? ""}`;

test(`${cases} requests of bad intent, from seed ${seed}: each is answered in order, and the server goes on`, async () => {
  const dice = diceOf(seeded(seed));
  const faults: string[] = [];
  let left = cases;
  const tally = new Map<number, number>();
  const sender = async (): Promise<void> => {
    while (left-- > 0 && faults.length < 5) {
      const sent = malformedRequest(dice);
      const answer = await send(sent).catch((e: Error) => e.message);
      const fault = typeof answer === "string" ? answer : faultOf(answer, sent);
      if (typeof answer !== "string") tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1);
      if (fault)
        faults.push(`${shown(sent)}\n  ${fault}: ${typeof answer === "string" ? "" : answer.text.slice(0, 300)}`);
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
  // Every sort of answer was seen: a generator that is refused at the door tests only the door.
  for (const status of [200, 201, 400, 404, 405, 406, 409, 415, 422])
    expect(tally.get(status) ?? 0, String(status)).toBeGreaterThan(10);
}, 600_000);
