// Evictions over HTTP: refused while the budget is exhausted, otherwise counted and executed.
import { expect, test } from "vitest";
import { sharedJsonClient } from "./json-client.ts";

const send = sharedJsonClient();

const pods = "/api/v1/namespaces/default/pods";
const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const inMerge = { "content-type": "application/merge-patch+json" };
const eviction = (name: string): object => ({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name } });

test("a healthy pod is evicted only when its budget allows it", async () => {
  const labels = { app: "x" };
  const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
  await send("POST", pods, { metadata: { name: "p", labels }, spec });
  const ready = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
  await send("PATCH", `${pods}/p/status`, ready, inMerge);
  await send("POST", budgets, {
    metadata: { name: "b" },
    spec: { minAvailable: 1, selector: { matchLabels: labels } },
  });
  const counts = {
    observedGeneration: 1,
    disruptionsAllowed: 0,
    currentHealthy: 1,
    desiredHealthy: 1,
    expectedPods: 1,
  };
  await send("PATCH", `${budgets}/b/status`, { status: counts }, inMerge);
  const refused = await send("POST", `${pods}/p/eviction`, eviction("p"));
  expect([refused.status, refused.json.reason, refused.json.details.causes]).toEqual([
    429,
    "TooManyRequests",
    [{ reason: "DisruptionBudget", message: "The disruption budget b needs 1 healthy pods and has 1 currently" }],
  ]);
  await send("PATCH", `${budgets}/b/status`, { status: { disruptionsAllowed: 1 } }, inMerge);
  const tried = await send("POST", `${pods}/p/eviction?dryRun=All`, eviction("p"));
  expect([tried.status, tried.json.status]).toEqual([201, "Success"]);
  expect((await send("GET", `${budgets}/b`)).json.status.disruptionsAllowed).toBe(1);
  expect((await send("POST", `${pods}/p/eviction`, eviction("p"))).status).toBe(201);
  const { json } = await send("GET", `${budgets}/b`);
  expect(json.status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { p: expect.any(String) } });
  expect((await send("GET", `${pods}/p`)).json.metadata.deletionTimestamp).toBeDefined();
});
test("an eviction whose name differs from the path is refused", async () => {
  const { status, json } = await send("POST", `${pods}/p/eviction`, eviction("q"));
  expect([status, json.message]).toEqual([400, "name in URL does not match name in Eviction object"]);
});
