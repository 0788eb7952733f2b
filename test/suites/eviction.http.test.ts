// Eviction over the wire: refused while the budget has nothing left, then counted, then done.
import { expect, test } from "vitest";
import { writerToShared } from "./writing.ts";

const ask = writerToShared();

const pods = "/api/v1/namespaces/default/pods";
const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
const inMerge = { "content-type": "application/merge-patch+json" };
const eviction = (name: string): object => ({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name } });

test("a healthy pod goes when its budget has room, and not before", async () => {
  const labels = { app: "x" };
  const spec = { nodeName: "n", containers: [{ name: "c", image: "i" }] };
  await ask("POST", pods, { metadata: { name: "p", labels }, spec });
  const ready = { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } };
  await ask("PATCH", `${pods}/p/status`, ready, inMerge);
  await ask("POST", budgets, { metadata: { name: "b" }, spec: { minAvailable: 1, selector: { matchLabels: labels } } });
  const counts = {
    observedGeneration: 1,
    disruptionsAllowed: 0,
    currentHealthy: 1,
    desiredHealthy: 1,
    expectedPods: 1,
  };
  await ask("PATCH", `${budgets}/b/status`, { status: counts }, inMerge);
  const refused = await ask("POST", `${pods}/p/eviction`, eviction("p"));
  expect([refused.status, refused.json.reason, refused.json.details.causes]).toEqual([
    429,
    "TooManyRequests",
    [{ reason: "DisruptionBudget", message: "The disruption budget b needs 1 healthy pods and has 1 currently" }],
  ]);
  await ask("PATCH", `${budgets}/b/status`, { status: { disruptionsAllowed: 1 } }, inMerge);
  const tried = await ask("POST", `${pods}/p/eviction?dryRun=All`, eviction("p"));
  expect([tried.status, tried.json.status]).toEqual([201, "Success"]);
  expect((await ask("GET", `${budgets}/b`)).json.status.disruptionsAllowed).toBe(1);
  expect((await ask("POST", `${pods}/p/eviction`, eviction("p"))).status).toBe(201);
  const { json } = await ask("GET", `${budgets}/b`);
  expect(json.status).toMatchObject({ disruptionsAllowed: 0, disruptedPods: { p: expect.any(String) } });
  expect((await ask("GET", `${pods}/p`)).json.metadata.deletionTimestamp).toBeDefined();
});
test("an eviction of another pod than the path's is none", async () => {
  const { status, json } = await ask("POST", `${pods}/p/eviction`, eviction("q"));
  expect([status, json.message]).toEqual([400, "name in URL does not match name in Eviction object"]);
});
