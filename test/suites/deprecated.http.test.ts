// Requests for deprecated kinds have a warning.
import { afterAll, beforeAll, expect, test } from "vitest";
import { rawClientOf, json } from "./raw-client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

let server: TestServer;
beforeAll(async () => {
  server = await listeningServer();
});
afterAll(() => server.close());

const endpoints = "/api/v1/namespaces/default/endpoints";
const old = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
const body = JSON.stringify({ metadata: { name: "e" }, unheard: "of" });
const table = [
  ["GET", endpoints, undefined, 200, old],
  ["GET", `${endpoints}?watch=1&timeoutSeconds=1`, undefined, 200, old],
  ["GET", `${endpoints}/nobody`, undefined, 404, old],
  ["POST", endpoints, body, 201, `${old}, 299 - "unknown field \\"unheard\\""`],
  ["DELETE", `${endpoints}/e`, undefined, 200, old],
  ["GET", "/api/v1/componentstatuses", undefined, 200, '299 - "v1 ComponentStatus is deprecated in v1.19+"'],
  ["GET", "/api/v1/pods", undefined, 200, undefined],
] as const;
for (const [method, path, sent, status, warning] of table)
  test(`${method} ${path} has status ${status} and ${warning ? "a" : "no"} warning`, async () => {
    const response = await rawClientOf(server).send(path, { method, headers: json, ...(sent && { body: sent }) });
    expect([response.status, response.headers["warning"]]).toEqual([status, warning]);
  });
