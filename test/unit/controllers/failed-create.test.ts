import { expect, test } from "vitest";
import { daemonSets } from "../../../api/apps/daemonsets.ts";
import { deployments } from "../../../api/apps/deployments.ts";
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { statefulSets } from "../../../api/apps/statefulsets.ts";
import { events } from "../../../api/core/events.ts";
import { limitRanges } from "../../../api/core/limitranges.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { resourceQuotas } from "../../../api/core/resourcequotas.ts";
import { key } from "../../../api/meta.ts";
import { server, whileControlled } from "./running.ts";

const spec = {
  replicas: 1,
  serviceName: "web",
  selector: { matchLabels: { app: "web" } },
  template: {
    metadata: { labels: { app: "web" } },
    // The node is not ready.
    spec: { containers: [{ name: "c", image: "app:1" }], tolerations: [{ operator: "Exists" }] },
  },
};
const metadata = { name: "web", namespace: "default" };
const refusal = String.raw`pods "web-\w+" is forbidden: minimum cpu usage per Pod is 2. {2}No request is specified`;

const table = [
  ["ReplicaSet", replicaSets, `Error creating: ${refusal}`],
  ["DaemonSet", daemonSets, `Error creating: ${refusal}`],
  ["StatefulSet", statefulSets, `Create Pod web-0 in StatefulSet web failed error: ${refusal}`],
] as const;
for (const [kind, resource, message] of table)
  test(`${kind}: a pod that the server refuses is an event, counted`, async () => {
    const running = await server();
    const { client } = running;
    await client.create(nodes, { kind: "Node", metadata: { name: "n1" }, spec: {} });
    await client.create(limitRanges, {
      kind: "LimitRange",
      metadata: { name: "limits", namespace: "default" },
      spec: { limits: [{ type: "Pod", min: { cpu: "2" } }] },
    });
    await whileControlled(running, {}, async () => {
      await client.create(resource as typeof replicaSets, { kind, metadata, spec } as never);
      await running.pass(5);
    });
    const { items } = await client.list(events, { namespace: "default" });
    const failures = items.filter(({ reason }) => reason === "FailedCreate");
    expect(failures.map(({ type, message: text }) => `${type} ${text}`)).toEqual([
      expect.stringMatching(new RegExp(`^Warning ${message}$`)),
    ]);
    expect(failures[0]!.count).toBeGreaterThan(1);
  });

test("ReplicaFailure: a condition of the set and its deployment while a quota refuses pods", async () => {
  const running = await server();
  const { client } = running;
  const conditionsOf = async (resource: typeof deployments | typeof replicaSets): Promise<readonly string[]> =>
    (await client.list(resource as typeof deployments, { namespace: "default" })).items.flatMap(({ status }) =>
      (status?.conditions ?? [])
        .filter(({ type }) => type === "ReplicaFailure")
        .map(({ status: is, reason, message }) => `${is} ${reason} ${message?.replace(/web-\w+-\w+/, "POD")}`),
    );
  await whileControlled(running, {}, async () => {
    const quota = { kind: "ResourceQuota", metadata: { name: "q", namespace: "default" } } as const;
    await client.create(resourceQuotas, { ...quota, spec: { hard: { pods: "0" } } });
    await running.pass(1);
    await client.create(deployments, { kind: "Deployment", metadata, spec } as never);
    await running.pass(5);
    const refused = `pods "POD" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0`;
    expect(await conditionsOf(replicaSets)).toEqual([`True FailedCreate ${refused}`]);
    expect(await conditionsOf(deployments)).toEqual([`True FailedCreate ${refused}`]);
    await client.delete(resourceQuotas, key("default", "q"));
    await running.pass(60);
    expect([...(await conditionsOf(replicaSets)), ...(await conditionsOf(deployments))]).toEqual([]);
    expect((await client.list(pods, { namespace: "default" })).items).toHaveLength(1);
  });
});
