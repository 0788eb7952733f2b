// Why a pod is on its node or on none: explained by a running scheduler, served by the API, shown by `orrery why`.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { leases } from "../../api/coordination/leases.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { SchedulingExplanation } from "../../api/explanation/scheduling.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { key, keyOf } from "../../api/meta.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { explanations } from "../../machinery/explanations.ts";
import { informer } from "../../machinery/informer.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import { type CommandOutcome, commandOutcome } from "./command-outcome.ts";
import { listeningServer, type TestServer } from "./listening.ts";
import { rawClientOf } from "./raw-client.ts";
import { userWithRole } from "./role-user.ts";

const world = realWorld(() => {});
const storage = memoryStorage();
const ended = new AbortController();
let server: TestServer;
/** Over the same storage, without a scheduler. */
let other: TestServer;
let running: Promise<unknown>;

async function createNode(name: string, cpu: string, taints: readonly object[] = []): Promise<void> {
  const { inProcess } = server;
  const node = await inProcess.create(nodes, { kind: "Node", metadata: { name }, spec: {} });
  const allocatable = { cpu, memory: "8Gi", pods: "110" };
  await inProcess.update<Node>(
    nodes,
    { ...node, status: { ...node.status, allocatable, capacity: allocatable } },
    "status",
  );
  // A new node is tainted until it is ready.
  const patch = { spec: { taints } };
  const conditions = [{ type: "Ready", status: "True", reason: "KubeletReady", message: "" }];
  await inProcess.patch(nodes, key(undefined, name), { type: "merge", patch: { status: { conditions } } }, "status");
  await inProcess.patch(nodes, key(undefined, name), { type: "merge", patch });
}
const createPod = (name: string, cpu: string, spec: object = {}): Promise<unknown> =>
  server.inProcess.create<Pod>(pods, {
    kind: "Pod",
    metadata: { name, namespace: "default" },
    spec: { containers: [{ name: "c", image: "i", resources: { requests: { cpu } } }], ...spec },
  });
const conditionIs = (name: string, status: string): Promise<void> =>
  vi.waitFor(async () => {
    const pod = await server.inProcess.get<Pod>(pods, key("default", name));
    expect(pod.status?.conditions?.find(({ type }) => type === "PodScheduled")?.status).toBe(status);
  });

beforeAll(async () => {
  const explained = explanations();
  server = await listeningServer({ storage, authorizationMode: "RBAC", explanations: explained });
  other = await listeningServer({ storage, authority: server.authority });
  const { inProcess } = server;
  const metadata = { name: "default", namespace: "default" };
  await inProcess.create(namespaces, { kind: "Namespace", metadata: { name: "default" }, spec: {} }).catch(() => {});
  await inProcess.create(serviceAccounts, { kind: "ServiceAccount", metadata }).catch(() => {});
  await createNode("a", "2");
  await createNode("b", "4");
  await createNode("c", "4", [{ key: "team", value: "red", effect: "NoSchedule" }]);
  const views = { pods: informer(inProcess, pods, world), nodes: informer(inProcess, nodes, world) };
  const { signal } = ended;
  const options = { plugins: defaultPlugins(), explanations: explained };
  running = Promise.all([
    runScheduler(views, inProcess, world, options, signal),
    ...[views.pods.run(signal), views.nodes.run(signal)],
  ]);
  await createPod("web", "1");
  await conditionIs("web", "True");
  await createPod("big", "3500m", { tolerations: [{ key: "team", operator: "Exists" }] });
  await conditionIs("big", "True");
  await createPod("huge", "3800m");
  await conditionIs("huge", "False");
  await createPod("gated", "1", { schedulingGates: [{ name: "quota" }] });
});
afterAll(async () => {
  ended.abort(new Error("the tests have ended"));
  await running.catch(() => {});
  await other.close();
  await server.close();
});

const pathOf = (name: string): string => `/explain/api/v1/namespaces/default/pods/${name}`;
const scheduling = async (name: string, from = server): Promise<SchedulingExplanation> =>
  (await rawClientOf(from).get(pathOf(name)))["scheduling"];
const outcome = (line: string): Promise<CommandOutcome> => commandOutcome(line.split(" "), server.kubeconfig);

test("a pod on a node: the scores of every node that passed, and why the others did not", async () => {
  const { scheduler, state, attempts } = await scheduling("web");
  expect([scheduler, state]).toEqual(["default-scheduler", { phase: "Bound", nodeName: "a" }]);
  expect(attempts).toHaveLength(1);
  const { nodes: all = [], message, nodeName } = attempts[0]!;
  expect([nodeName, message]).toEqual(["a", "a has the highest score of 2 nodes that passed"]);
  expect(all.map(({ name, rejection }) => [name, rejection?.plugin])).toEqual([
    ["a", undefined],
    ["b", undefined],
    ["c", "TaintToleration"],
  ]);
  // One core of two and 0.2 of 8 GiB are requested there: (50 + 2) / 2.
  expect(all[0]!.scores?.find(({ plugin }) => plugin === "NodeResourcesFit")).toEqual({
    ...{ plugin: "NodeResourcesFit", raw: 26, normalized: 26, weight: 1, weighted: 26 },
  });
  expect(all[0]!.total).toBe(all[0]!.scores!.reduce((sum, { weighted }) => sum + weighted, 0));
});

test("a pod on no node: what would have to change, preemption, and what it waits for", async () => {
  const { state, attempts } = await scheduling("huge");
  expect(state).toMatchObject({ phase: "Unschedulable", attempts: 1 });
  expect(state.waitsFor?.map(({ plugin }) => plugin)).toEqual(["NodeResourcesFit", "TaintToleration"]);
  const { message, remedies, nodes: all = [] } = attempts.at(-1)!;
  const pod = await server.inProcess.get<Pod>(pods, key("default", "huge"));
  expect(message).toBe(pod.status?.conditions?.find(({ type }) => type === "PodScheduled")?.message);
  expect(remedies?.map(({ changes }) => changes)).toEqual([
    ["3300m more cpu"],
    ["remove taint team=red:NoSchedule, or tolerate it"],
    ["2800m more cpu (a larger node: it has 2 in all)"],
  ]);
  expect(all.find(({ name }) => name === "b")?.preemption).toEqual({
    reasons: ["No preemption victims found for incoming pod"],
  });
});

test("a gated pod says by what it is held", async () => {
  const { state, attempts } = await scheduling("gated");
  const message = "waiting for scheduling gates: [quota]";
  expect([state, attempts]).toEqual([{ phase: "Gated", attempts: 0, heldBy: "SchedulingGates", message }, []]);
});

test("whoever may read a pod may have it explained, and nobody else", async () => {
  const as = await userWithRole(server, { name: "reader", namespace: "default" }, [
    { apiGroups: [""], resources: ["pods"], verbs: ["get"], resourceNames: ["web"] },
  ]);
  const { send } = rawClientOf(server);
  await vi.waitFor(async () => expect(await send(pathOf("web"), { as })).toMatchObject({ status: 200 }));
  const { status, text } = await send(pathOf("huge"), { as });
  const message =
    'pods "huge" is forbidden: User "reader" cannot get resource "pods" in API group "" in the namespace "default"';
  expect([status, JSON.parse(text).message]).toEqual([403, message]);
  expect(await send(pathOf("web"), { as: "nobody" })).toMatchObject({ status: 403 });
});

test.each<[what: string, path: string, status: number, message: string, method?: string]>([
  ["a pod that is not there", pathOf("nobody"), 404, 'pods \\"nobody\\" not found'],
  ["a list of a kind without a rule", "/explain/api/v1/namespaces/default/secrets", 400, "explained one by one"],
  ["a subresource", `${pathOf("web")}/status`, 400, "only objects and collections are explained"],
  ["a part that there is not", `${pathOf("web")}?part=all`, 400, "is no part of an explanation"],
  [
    "a kind that is not served",
    "/explain/apis/no.example.org/v1/things/a",
    404,
    "could not find the requested resource",
  ],
  ["a pod without namespace", "/explain/api/v1/pods/web", 404, "could not find the requested resource"],
  ["no object", "/explain/version", 404, "could not find the requested resource"],
  ["another method", pathOf("web"), 405, "does not allow this method", "DELETE"],
])("refused: %s", async (_, path, status, message, method = "GET") => {
  const response = await rawClientOf(server).send(path, { method });
  expect([response.status, response.text]).toEqual([status, expect.stringContaining(message)]);
});

test("an API server without the scheduler sends the request to the one beside it", async () => {
  const missing = async (): Promise<unknown> => (await rawClientOf(other).get(pathOf("web")))["missing"];
  const none = "no control plane leads kube-scheduler yet; try again in some seconds";
  await vi.waitFor(async () => expect(await missing()).toMatchObject({ scheduling: none }));
  const { port } = new URL(server.url);
  const spec = { holderIdentity: `host_127.0.0.1:${port}`, leaseDurationSeconds: 15 };
  const metadata = { name: "kube-scheduler", namespace: "kube-system" };
  await server.inProcess.create(leases, { kind: "Lease", metadata, spec });
  expect(await scheduling("web", other)).toEqual(await scheduling("web"));
  // A lease that leads back to the server itself ends there.
  const back = { spec: { ...spec, holderIdentity: `host_127.0.0.1:${new URL(other.url).port}` } };
  await server.inProcess.patch(leases, keyOf({ metadata }), { type: "merge", patch: back });
  const ended = "the control plane that leads kube-scheduler does not explain this: ";
  expect(await missing()).toMatchObject({ scheduling: expect.stringContaining(ended) });
});

const shown = async (line: string): Promise<string> => {
  const { out, err, code } = await outcome(line);
  expect([err, code]).toEqual(["", 0]);
  // Ages and revisions differ from run to run.
  return out
    .replaceAll(/\d+s ago, at revision \d+/g, "AGE ago, at revision N")
    .replaceAll(/ +\d+s ago /g, "  AGE ago ")
    .replaceAll(/ since \S+Z/g, " since TIME")
    .replaceAll(/ +$/gm, "");
};
const refusal =
  "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.";

test("orrery why shows a pod that fits nowhere", async () => {
  expect(await shown("why pod/huge")).toContain(`Pod default/huge fits on no node [failing]

Why:
  Unschedulable: ${refusal}
    next: 3300m more cpu: then b would take it
`);
  expect(await shown("why pod/huge")).toContain(`Pod default/huge fits on no node, and waits for a change.
Tried again after:
  NodeResourcesFit: a DeviceClass is added or changes; a pod on a node is deleted; a pod on a node requests less; the pod itself requests less; a Node is added or changes what it can hold
  TaintToleration: a Node is added or changes its taints; the pod itself changes its tolerations
Decided AGE ago, at revision N: ${refusal}

NODE   REJECTED BY        REASON                             WOULD PASS WITH                                    PREEMPTION
a      NodeResourcesFit   Insufficient cpu                   2800m more cpu (a larger node: it has 2 in all)
b      NodeResourcesFit   Insufficient cpu                   3300m more cpu                                     No preemption victims found for incoming pod
c      TaintToleration    node(s) had untolerated taint(s)   remove taint team=red:NoSchedule, or tolerate it

What would have to change, the least first:
  3300m more cpu: then b would pass
  remove taint team=red:NoSchedule, or tolerate it: then c would pass
  2800m more cpu (a larger node: it has 2 in all): then a would pass
`);
});

test("orrery why shows the scores of a pod on a node", async () => {
  expect(await shown("why web -o wide")).toContain(`Pod default/web is on a.
Decided AGE ago, at revision N: a has the highest score of 2 nodes that passed

NODE   TOTAL   TaintToleration      NodeResourcesFit
a      326     0 -> 100 * 3 = 300   26 -> 26 * 1 = 26
b      313     0 -> 100 * 3 = 300   13 -> 13 * 1 = 13

NODE   REJECTED BY       REASON                             WOULD PASS WITH
c      TaintToleration   node(s) had untolerated taint(s)   remove taint team=red:NoSchedule, or tolerate it
`);
  expect(await shown("why gated")).toContain(
    "Pod default/gated is kept out of the queue by SchedulingGates: waiting for scheduling gates: [quota].\n",
  );
  expect(JSON.parse((await outcome("why web -o json")).out)).toMatchObject({
    ...{ kind: "Explanation", apiVersion: "orrery.dev/v1", object: { kind: "Pod", namespace: "default", name: "web" } },
    scheduling: { state: { phase: "Bound" } },
  });
});

test.each([
  ["why secret/nobody", 'secrets "nobody" not found'],
  ["why web -o name", 'unable to match a printer suitable for the output format "name"'],
  ["why nobody", 'pods "nobody" not found'],
])("refused: orrery %s", async (line, message) => {
  expect(await outcome(line)).toMatchObject({ code: 1, out: "", err: expect.stringContaining(message) });
});
