// The decision log of controllers: triggering changes, reasons and actions by key.
import { expect, test } from "vitest";
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { pods } from "../../../api/core/pods.ts";
import { key } from "../../../api/meta.ts";
import { decisionLog } from "../../../machinery/decisions.ts";
import { server, whileControlled } from "./running.ts";

const web = key("default", "web");
const spec = {
  replicas: 1,
  selector: { matchLabels: { app: "web" } },
  template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "i" }] } },
};

test("decision log: a replica set created a pod because it was added, and another because that pod was deleted", async () => {
  const running = await server();
  const { client, pass } = running;
  const decisions = decisionLog();
  await whileControlled(running, { decisions }, async () => {
    await client.create(replicaSets, { kind: "ReplicaSet", metadata: { name: "web", namespace: "default" }, spec });
    await pass(5);
    const [pod] = (await client.list(pods)).items;
    const { name } = pod!.metadata;
    const creations = () =>
      decisions.of(web, "replicaset").filter((d) => d.actions.some((a) => a.startsWith("create pods")));
    expect(creations()).toMatchObject([
      {
        reasons: [{ type: "added", kind: "ReplicaSet", key: web }],
        because: ["1 desired, 0 active, 0 terminating"],
        actions: [
          `create pods default/${name}`,
          `event SuccessfulCreate: Created pod: ${name}`,
          "status replicasets default/web",
        ],
      },
    ]);
    await client.delete(pods, key("default", name), { gracePeriodSeconds: 0 });
    await pass(5);
    expect(creations()).toHaveLength(2);
    expect(creations()[1]?.reasons).toContainEqual(expect.objectContaining({ type: "deleted", kind: "Pod" }));
    await client.delete(replicaSets, web, { propagationPolicy: "Background" });
    await pass(5);
    const [next] = creations()[1]!.actions.map((a) => a.replace("create pods ", ""));
    expect(decisions.of(`v1/Pod|${next}` as typeof web).map((d) => [d.controller, d.because, d.actions])).toEqual([
      ["garbagecollector", ["all its owners are gone or wait for it"], [`delete pods ${next}`]],
    ]);
  });
});
