// An autoscaler scales the kind in its target reference through the scale subresource.
import type { Client } from "../../../machinery/client.ts";
import { expect, test } from "vitest";
import { deployments } from "../../../api/apps/deployments.ts";
import { statefulSets } from "../../../api/apps/statefulsets.ts";
import { horizontalPodAutoscalers } from "../../../api/autoscaling/horizontalpodautoscalers.ts";
import { events } from "../../../api/core/events.ts";
import { key } from "../../../api/meta.ts";
import { type Running, server, whileControlled } from "./running.ts";

const metadata = { name: "web", namespace: "default" };
const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "c", image: "i" }] },
};
const selector = { matchLabels: { app: "web" } };

/** A Deployment and a StatefulSet with one name and one replica each, and an autoscaler with three minimum replicas. */
async function scaled(scaleTargetRef: { apiVersion: string; kind: string; name: string }) {
  const running: Running = await server();
  const { client, pass } = running;
  await client.create(deployments, { kind: "Deployment", metadata, spec: { replicas: 1, selector, template } });
  await client.create(statefulSets, {
    ...{ kind: "StatefulSet", metadata },
    spec: { replicas: 1, selector, template, serviceName: "web" },
  });
  const spec = { scaleTargetRef, minReplicas: 3, maxReplicas: 5 };
  await client.create(horizontalPodAutoscalers, { kind: "HorizontalPodAutoscaler", metadata, spec });
  let result = {};
  await whileControlled(running, {}, async () => {
    await pass(20);
    const k = key("default", "web");
    const { status } = await client.get(horizontalPodAutoscalers, k);
    result = {
      deployment: (await client.get(deployments, k)).spec.replicas,
      statefulSet: (await client.get(statefulSets, k)).spec.replicas,
      able: status?.conditions?.find((c) => c.type === "AbleToScale"),
      warnings: (await client.list(events)).items.filter((e) => e.reason === "FailedGetScale").map((e) => e.message),
    };
  });
  return result;
}

test("autoscaler: a StatefulSet is scaled, and not the Deployment of the same name", async () =>
  expect(await scaled({ apiVersion: "apps/v1", kind: "StatefulSet", name: "web" })).toMatchObject({
    ...{ deployment: 1, statefulSet: 3, warnings: [] },
    able: { status: "True" },
  }));

const unable = "the HPA controller was unable to get the target's current scale: ";
const table = [
  ["a kind that is not served", "example.com/v1", "Toy", `no matches for kind "Toy" in group "example.com"`],
  ["a kind without a scale", "v1", "ConfigMap", "the server could not find the requested resource"],
  ["an object that is missing", "apps/v1", "ReplicaSet", `replicasets.apps "web" not found`],
] as const;
for (const [what, apiVersion, kind, message] of table)
  test(`autoscaler: ${what} is not scaled, and the condition has the reason`, async () =>
    expect(await scaled({ apiVersion, kind, name: "web" })).toMatchObject({
      ...{ deployment: 1, statefulSet: 1, warnings: [message] },
      able: { status: "False", reason: "FailedGetScale", message: `${unable}${message}` },
    }));

test("autoscaler: a request that arrives again after the scale has changed is refused", async () => {
  const running: Running = await server();
  const { client, pass } = running;
  await client.create(deployments, { kind: "Deployment", metadata, spec: { replicas: 1, selector, template } });
  const scaleTargetRef = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
  const spec = { scaleTargetRef, minReplicas: 3, maxReplicas: 5 };
  await client.create(horizontalPodAutoscalers, { kind: "HorizontalPodAutoscaler", metadata, spec });
  const sent: Parameters<typeof client.patch>[] = [];
  const recorded = (inner: Client): Client => ({
    ...inner,
    asController: (account) => recorded(inner.asController(account)),
    patch(...request) {
      if (request[3] === "scale") sent.push(request as never);
      return inner.patch(...request);
    },
  });
  const manager: Running["manager"] = (...rights) => recorded(running.manager(...rights));
  await whileControlled({ ...running, manager }, {}, () => pass(20));
  expect(sent).toHaveLength(1);
  const k = key("default", "web");
  await client.patch(deployments, k, { type: "merge", patch: { spec: { replicas: 4 } } });
  await expect(client.patch(...sent[0]!)).rejects.toMatchObject({ reason: "Conflict" });
  expect((await client.get(deployments, k)).spec.replicas).toBe(4);
});
