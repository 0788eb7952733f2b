// HTTP probes against a real server on loopback: which responses pass, and which redirects are followed.
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type HandlerOutcome, probeHttp } from "../../../kubelet/probes/handlers.ts";

let server: Server;
const port = (): number => (server.address() as AddressInfo).port;

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url!, "http://x");
    const location = url.searchParams.get("to");
    if (url.pathname === "/status") response.writeHead(Number(url.searchParams.get("code"))).end("body");
    else if (url.pathname === "/loop") response.writeHead(302, { location: "/loop" }).end();
    else response.writeHead(302, { ...(location !== null && { location }) }).end(`see ${location}`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => void server.close());

const warning = (body: string): HandlerOutcome => ({
  result: "warning",
  output: `Probe terminated redirects, Response body: ${body}`,
});
const failure = (output: string): HandlerOutcome => ({ result: "failure", output });
const success: HandlerOutcome = { result: "success", output: "" };
const table: readonly (readonly [what: string, path: string, outcome: HandlerOutcome])[] = [
  ["a successful response", "/status?code=200", success],
  ["an error response", "/status?code=500", failure("HTTP probe failed with statuscode: 500")],
  ["a redirect on the same host", `/to?to=${encodeURIComponent("/status?code=200")}`, success],
  [
    "a redirect to an error on the same host",
    `/to?to=${encodeURIComponent("/status?code=503")}`,
    failure("HTTP probe failed with statuscode: 503"),
  ],
  ["a redirect to another host", "/to?to=http://0.0.0.0/", warning("see http://0.0.0.0/")],
  ["a redirect without a location", "/to", warning("see null")],
];
test.each(table)("an HTTP probe: %s", async (_, path, outcome) => {
  expect(await probeHttp("127.0.0.1", port(), { port: port(), path }, 1_000)).toEqual(outcome);
});
test("an HTTP probe follows at most ten redirects", async () => {
  const outcome = await probeHttp("127.0.0.1", port(), { port: port(), path: "/loop" }, 1_000);
  expect(outcome).toEqual(failure(`Get "/loop": stopped after 10 redirects`));
});
