// The HTTP client against a listening server, and its behaviour when the connection fails.
import { expect, test } from "vitest";
import { isAmbiguous } from "../../api/errors.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { tokenRequests } from "../../api/authentication/tokenrequests.ts";
import { key } from "../../api/meta.ts";
import { clientMetrics } from "../../machinery/counters.ts";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { clientSuite } from "./client.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const world = realWorld(() => {});
const clientOf = ({ url, ca, admin }: TestServer, signal: AbortSignal) =>
  httpClient({ url, ca, ...admin, userAgent: "suite" }, world, signal);

clientSuite("http", async () => {
  const server = await listeningServer();
  const stop = new AbortController();
  return {
    client: clientOf(server, stop.signal),
    compact: server.compact,
    async close() {
      stop.abort();
      await server.close();
    },
  };
});

test("http: requests are counted by method and status, and timed", async () => {
  const server = await listeningServer();
  const stop = new AbortController();
  const { url, ca, admin } = server;
  const metrics = clientMetrics("api");
  const client = httpClient({ url, ca, ...admin, userAgent: "suite" }, world, stop.signal, metrics);
  await client.list(configMaps);
  await client.get(configMaps, key("default", "missing")).catch(() => {});
  stop.abort();
  await client.list(configMaps).catch(() => {});
  const text = await metrics.metrics();
  for (const code of ["200", "404", "<error>"])
    expect(text).toContain(`rest_client_requests_total{code="${code}",host="api",method="GET"} 1`);
  expect(text).toContain(`rest_client_request_duration_seconds_count{host="api",verb="GET"} 3`);
  await server.close();
});

test("http: a token is created as a subresource of its account", async () => {
  const server = await listeningServer();
  const stop = new AbortController();
  const draft = { kind: "TokenRequest", metadata: { name: "default", namespace: "default" }, spec: {} } as const;
  for (const client of [clientOf(server, stop.signal), server.inProcess]) {
    const { metadata, status } = await client.create(tokenRequests, draft);
    expect([metadata.name, status?.token?.split(".").length]).toEqual(["default", 3]);
    const nobody = { ...draft, metadata: { ...draft.metadata, name: "nobody" } };
    await expect(client.create(tokenRequests, nobody)).rejects.toThrow('serviceaccounts "nobody" not found');
  }
  stop.abort();
  await server.close();
});

test("http: a stopped server is an ambiguous error, also for watches", async () => {
  const server = await listeningServer();
  const stop = new AbortController();
  const client = clientOf(server, stop.signal);
  const watch = client.watch(configMaps, { from: await client.revision() }, stop.signal)[Symbol.asyncIterator]();
  const next = watch.next();
  await client.create(configMaps, { kind: "ConfigMap", metadata: { name: "a", namespace: "default" } });
  expect((await next).value).toMatchObject({ type: "applied" });
  const broken = watch.next().then(
    (r) => (r.done ? "ended" : r),
    (e: unknown) => (isAmbiguous(e) ? "broke" : e),
  );
  await server.close();
  expect(["ended", "broke"]).toContain(await broken);
  const lost = client.get(configMaps, key("default", "a")).catch((e: unknown) => e);
  expect(isAmbiguous(await lost)).toBe(true);
  stop.abort();
});
