// Tests of published conformance behaviours, over HTTP with official clients.
import { request } from "node:https";
import type { IncomingHttpHeaders } from "node:http";
import { type ApiConstructor, KubeConfig, type ApiType, CoreV1Api } from "@kubernetes/client-node";
import { afterAll, beforeAll, test } from "vitest";
import { listeningServer, type TestServer } from "../suites/listening.ts";
import { ledger } from "./ledger.ts";

/** The response to a plain request. */
export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** The context of a behaviour: the server, shared by the behaviours of a file, and a namespace for this one. */
export interface ScenarioContext {
  readonly server: TestServer;
  readonly config: KubeConfig;
  readonly namespace: string;
  /** A client of the official library, for example `client(CoreV1Api)`. */
  client<T extends ApiType>(api: ApiConstructor<T>): T;
  /** A plain request, for what the library does not expose. */
  send(
    path: string,
    how?: { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string },
  ): Promise<RawResponse>;
}

let server: TestServer;
let config: KubeConfig;
beforeAll(async () => {
  server = await listeningServer();
  config = new KubeConfig();
  config.loadFromFile(server.kubeconfig);
});
afterAll(() => server.close());

const send: ScenarioContext["send"] = (path, { method = "GET", headers = {}, body } = {}) =>
  new Promise((resolve, reject) => {
    const identity = { ca: server.ca, cert: server.admin.cert, key: server.admin.key };
    const outgoing = request(`${server.url}${path}`, { method, headers, ...identity }, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });

const names = new Set(ledger.map(({ name }) => name));

/**
 * A test of a published behaviour, under its exact name. A name that is not in the ledger fails, so that renamed or
 * invented behaviours cannot count.
 */
export function behaviour(name: string, body: (context: ScenarioContext) => Promise<void>): void {
  test(name, async () => {
    if (!names.has(name)) throw new Error(`the ledger has no behaviour named: ${name}`);
    const core = config.makeApiClient(CoreV1Api);
    const made = await core.createNamespace({ body: { metadata: { generateName: "behaviour-" } } });
    const namespace = made.metadata!.name!;
    // No controller creates the account here.
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: "default" } } });
    const client: ScenarioContext["client"] = (api) => config.makeApiClient(api);
    await body({ server, config, namespace, client, send });
  });
}
