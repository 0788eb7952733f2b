// Endpoints of the kubelet server: metrics, log directories and configuration.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cadvisorMetrics, resourceMetrics } from "../../../kubelet/server/node-metrics.ts";
import { listing, serveNodeLogs } from "../../../kubelet/server/logs.ts";
import { runningPods } from "../../../kubelet/server/kubelet-server.ts";
import { statusOf } from "../../../kubelet/server/upgrades.ts";
import { exited, now, run, running } from "./samples.ts";

const sample = (cpuNanos: number, bytes: number) => ({
  cpuNanos,
  memoryWorkingSetBytes: bytes,
  memoryUsageBytes: bytes + 1,
  memoryRssBytes: bytes - 1,
  nanoCores: undefined,
  at: now,
});
const measured = {
  node: sample(9e9, 1000),
  containers: [
    [run("c", running()), sample(1.5e9, 10)],
    [run("d", running()), sample(0.5e9, 20)],
  ] as const,
};

test("metrics by container, pod and node", () => {
  const text = resourceMetrics(measured);
  expect(text).toContain(`pod_cpu_usage_seconds_total{namespace="default",pod="web-0"} 2 ${now}\n`);
  expect(text).toContain(
    `container_memory_working_set_bytes{container="d",namespace="default",pod="web-0"} 20 ${now}\n`,
  );
  expect(text).toContain(`# TYPE node_cpu_usage_seconds_total counter\nnode_cpu_usage_seconds_total 9 ${now}\n`);
  expect(resourceMetrics({ node: undefined, containers: [] })).toContain("resource_scrape_error 0");
  expect(cadvisorMetrics(measured)).toMatch(/container_memory_rss\{container="c",id="c0",image="web:1",.*\} 9 \d+\n/);
});

test("/runningpods lists only running containers", () => {
  const containers = [run("c", running()), run("d", exited(0))];
  expect(runningPods({ sandboxes: [], containers })).toMatchObject({
    kind: "PodList",
    items: [{ metadata: { name: "web-0", namespace: "default" }, spec: { containers: [{ name: "c" }] } }],
  });
});

test("a log directory is a list of links, and paths outside of it are not found", async () => {
  expect(listing(["a b", "<c>/"])).toBe('<pre>\n<a href="a%20b">a b</a>\n<a href="%3Cc%3E/">&lt;c&gt;/</a>\n</pre>\n');
  const root = mkdtempSync(join(tmpdir(), "orrery-logs-"));
  mkdirSync(join(root, "pods"));
  writeFileSync(join(root, "messages"), "started\n");
  symlinkSync("/etc", join(root, "pods/out"));
  const server = createServer((request, response) => {
    serveNodeLogs(root, decodeURIComponent(request.url!), response).catch((e: Error) =>
      response.writeHead(statusOf(e)).end(e.message),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const get = async (path: string): Promise<string> => {
    const { port } = server.address() as AddressInfo;
    const reply = await fetch(`http://127.0.0.1:${port}${path}`, { redirect: "manual" });
    return `${reply.status} ${reply.headers.get("location") ?? (await reply.text())}`;
  };
  expect(await get("/")).toBe('200 <pre>\n<a href="messages">messages</a>\n<a href="pods/">pods/</a>\n</pre>\n');
  expect(await get("/messages")).toBe("200 started\n");
  expect(await get("/pods")).toBe("301 pods/");
  for (const path of ["/pods/out/passwd", "/%2e%2e%2fetc/passwd", "/nothing"])
    expect(await get(path)).toBe("404 404 page not found");
  server.close();
  rmSync(root, { recursive: true });
});
