// Which pods are scraped and where, and how a scrape is bounded.
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Pod } from "../../../api/core/pods.ts";
import { realWorld } from "../../../machinery/real-world.ts";
import { podMetrics, scrapeTarget } from "../../../kubelet/metrics/pod-metrics.ts";

const annotated = (annotations: Readonly<Record<string, string>>, more: object = {}): Pod =>
  ({
    metadata: {
      ...{ name: "web", namespace: "default", uid: "u" },
      annotations: Object.fromEntries(Object.entries(annotations).map(([n, v]) => [`prometheus.io/${n}`, v])),
    },
    spec: {
      containers: [
        { name: "a", ports: [{ containerPort: 53, protocol: "UDP" }] },
        { name: "b", ports: [{ containerPort: 8080 }] },
      ],
    },
    status: { phase: "Running", podIP: "10.0.0.7" },
    ...more,
  }) as unknown as Pod;

const host = "10.0.0.7";
test.each([
  ["not annotated", annotated({}), undefined],
  ["annotated with false", annotated({ scrape: "false", port: "80" }), undefined],
  ["the first declared port", annotated({ scrape: "true" }), { host, port: 8080, path: "/metrics" }],
  [
    "a port and a path",
    annotated({ scrape: "true", port: "9090", path: "/stats" }),
    { host, port: 9090, path: "/stats" },
  ],
  ["a path without a slash", annotated({ scrape: "true", path: "stats" }), { host, port: 8080, path: "/stats" }],
  ["a port that is none", annotated({ scrape: "true", port: "http" }), undefined],
  ["port 0", annotated({ scrape: "true", port: "0" }), undefined],
  ["a port too high", annotated({ scrape: "true", port: "65536" }), undefined],
  ["no port", annotated({ scrape: "true" }, { spec: { containers: [{ name: "a" }] } }), undefined],
  ["not running yet", annotated({ scrape: "true" }, { status: { phase: "Pending", podIP: host } }), undefined],
  ["no address yet", annotated({ scrape: "true" }, { status: { phase: "Running" } }), undefined],
])("the target of a pod: %s", (_, pod, target) => expect(scrapeTarget(pod)).toEqual(target));

/** What the program at a path does. */
const programs: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "/metrics": (response) => void response.end("# TYPE queue gauge\nqueue 5\n"),
  "/bad": (response) => void response.end("queue five\n"),
  "/missing": (response) => void response.writeHead(404).end("queue 5\n"),
  "/moved": (response) => void response.writeHead(302, { location: "/metrics" }).end(),
  "/cut": (response) =>
    void response.writeHead(200, { "content-length": "100" }).write("queue 5\n", () => response.destroy()),
  "/silent": () => {},
  "/slow": (response) => void response.writeHead(200).write("queue 5\n"),
  "/endless": (response) => {
    const more = (): void => {
      while (!response.destroyed && response.write("# nothing\n".repeat(10_000)));
    };
    response.on("drain", more);
    more();
  },
};
let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => programs[request.url!]?.(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test("a scrape is bounded in time and size, and one that fails does not affect the others", async () => {
  const port = String((server.address() as AddressInfo).port);
  const status = { phase: "Running", podIP: "127.0.0.1" };
  const paths = [...Object.keys(programs), "/ \r\nX: y"];
  const all = paths.map((path) => {
    const pod = annotated({ scrape: "true", port, path }, { status });
    return { ...pod, metadata: { ...pod.metadata, name: path, uid: path } };
  });
  const world = realWorld(() => {});
  const scraped = podMetrics({ all: () => all }, world);
  const stop = new AbortController();
  const running = scraped.run(stop.signal);
  const began = world.clock.now();
  while (scraped.latest().length === 0) await world.clock.sleep(20);
  expect(world.clock.now() - began).toBeLessThan(5_000);
  stop.abort();
  await running;
  const outcomes = Object.fromEntries(scraped.latest().map(({ pod, series, error }) => [pod.name, error ?? series]));
  expect(outcomes).toEqual({
    "/metrics": [{ name: "queue", labels: {}, value: 5 }],
    "/bad": 'line 1 is no sample: "queue five"',
    "/missing": "the status is 404",
    "/moved": "the status is 302",
    "/cut": "aborted",
    "/silent": "no response within 2000 ms",
    "/slow": "no response within 2000 ms",
    "/endless": "there are more than 1048576 bytes",
    "/ \r\nX: y": expect.stringMatching(/unescaped characters/),
  });
});
