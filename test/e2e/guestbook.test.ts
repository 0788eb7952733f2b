// The guestbook of the README: apply, requests, rollout and rollback; then the guided tour.
import { join } from "node:path";
import { expect, test } from "vitest";
import { deployments } from "../../api/apps/deployments.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { isActive, isReady } from "../../api/core/pod/status.ts";
import { visit } from "../../cli/demo/visitors.ts";
import { testCluster, timed, until } from "./cluster.ts";

const cluster = testCluster("e2e-book", "--nodes", "2", "--max-nodes", "3");
const { output, ctl } = cluster;
const folder = join(import.meta.dirname, "../../manifests/guestbook");
const greeting = async (): Promise<string> => visit(`http://${await cluster.addressOf("node-1")}:30080/`);

const webPods = async () =>
  (await cluster.client.list(pods, { namespace: "default", labelSelector: "app=web" })).items.filter(isActive);
const webReady = (count: number) => async (): Promise<boolean> => {
  const all = await webPods();
  return all.length === count && all.every(isReady);
};

test("a folder of manifests is applied, and the guestbook responds", async () => {
  expect(await output(["apply", "-f", folder])).toContain("deployment.apps/web created");
  await until("three web pods Ready", webReady(3));
  await until("visits are counted", async () => /Visits: \d+/.test(await greeting()));
  expect(await output(["apply", "-f", folder])).toContain("deployment.apps/web unchanged");
});

test("visits are stored in the key-value service, also when its container is killed", async () => {
  const count = async (): Promise<number> => Number(/Visits: (\d+)/.exec(await greeting())?.[1] ?? Number.NaN);
  const before = await count();
  const [kv] = (await cluster.client.list(pods, { namespace: "default", labelSelector: "app=kv" })).items;
  await ctl(["exec", kv!.metadata.name, "--", "sh", "-c", "kill -9 1 || kill 1"]);
  const id = kv!.status!.containerStatuses![0]!.containerID!.replace("docker://", "");
  await cluster.inNode(kv!.spec.nodeName!.replace(`${cluster.name}-`, ""), "docker", "kill", id).catch(() => {});
  await until("a restart", async () => {
    const now = await cluster.pod(kv!.metadata.name);
    return isReady(now) && (now.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0;
  });
  const after = await until("counted again", async () => Number.isFinite(await count()) && count());
  expect(after).toBeGreaterThan(before);
});

test("a new version is rolled out and rolled back", async () => {
  await output("set image deployment/web web=orrery/web:2").catch(() =>
    cluster.client.patch(deployments, key("default", "web"), {
      type: "strategic",
      patch: { spec: { template: { spec: { containers: [{ name: "web", image: "orrery/web:2" }] } } } },
    }),
  );
  expect(await output("rollout status deployment/web")).toContain('deployment "web" successfully rolled out');
  await until("version 2", async () => (await greeting()).includes("version 2"));
  expect(await output("rollout history deployment/web")).toMatch(/^1 +<none>$\n^2 +<none>$/m);
  await output("rollout undo deployment/web");
  expect(await output("rollout status deployment/web")).toContain("successfully rolled out");
  // The last pods of version 2 respond until every node has updated its rules.
  await until("version 1 again", async () => (await greeting()).includes("version 1"));
});

test("events, descriptions and metrics", async () => {
  const described = await output("describe deployment web");
  expect(described).toMatch(/Image: +orrery\/web:1/);
  expect(described).toMatch(/ScalingReplicaSet/);
  // The pods of the rollback are seconds old: until they are measured, `top` reports that metrics are not available.
  await until("usage of web pods", async () => /^web-\S+ +\d+m +\d+Mi/m.test((await ctl("top pods")).out));
});

test("invalid manifests are refused with a message, and valid ones in the same file applied", async () => {
  const good = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "good" } };
  const bad = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "bad" }, datum: {} };
  const unknown = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" } };
  const misspelt = await ctl("apply -f -", JSON.stringify(bad));
  expect([misspelt.code, misspelt.err]).toEqual([1, expect.stringContaining('unknown field "datum"')]);
  const foreign = await ctl("apply -f -", [good, unknown].map((o) => JSON.stringify(o)).join("\n---\n"));
  expect([foreign.code, foreign.err]).toEqual([1, expect.stringContaining('no matches for kind "Widget"')]);
});

test("the guided tour completes", async () => {
  await output(["delete", "-f", folder]);
  const [ms, text] = await timed(() => cluster.orrery("demo", "--yes"));
  expect(text).toMatch(/(\d+) of \1 acts shown and checked/);
  expect(text).toMatch(/\d+ requests, none lost: \d+ saw version 1, \d+ saw version 2/);
  expect(ms).toBeLessThan(180_000);
  expect((await ctl("get namespace orrery-demo")).code).toBe(1);
});
