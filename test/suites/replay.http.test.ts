// Decisions of controllers made again over the history of a server: the same deciders decide what happened, changed
// ones are found.
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { deployments } from "../../api/apps/deployments.ts";
import { replicaSets } from "../../api/apps/replicasets.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { pods } from "../../api/core/pods.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { key, timestamp } from "../../api/meta.ts";
import { connection } from "../../cli/client/connection.ts";
import { momentOf } from "../../cli/client/moments.ts";
import { readRecording } from "../../cli/client/recording.ts";
import { runControllers } from "../../controllers/controllers.ts";
import { replicaSetController } from "../../controllers/replicaset/controller.ts";
import type { Controller, Decision } from "../../machinery/controller.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type Difference, replay } from "../../machinery/replay.ts";
import { commandOutcome } from "./command-outcome.ts";
import { listeningServer, type TestServer } from "./listening.ts";

const world = realWorld(() => {});
const ended = new AbortController();
let server: TestServer;
let running: Promise<void>;
let begin: number;
const options = {
  ...{ clusterCidr: "10.244.0.0/16", rootCa: "none", nodeGraceMs: 40_000 },
  autoscaler: { periodMs: 15_000, shrinkWindowSeconds: 300 },
};

const replicasAre = (count: number): Promise<void> =>
  vi.waitFor(async () => {
    const { status } = await server.inProcess.get(deployments, key("shop", "web"));
    expect([status?.replicas, status?.observedGeneration]).toEqual([count, expect.any(Number)]);
  }, 10_000);

beforeAll(async () => {
  server = await listeningServer();
  const { inProcess } = server;
  running = runControllers(server.as("kube-controller-manager"), world, options, ended.signal);
  await inProcess.create(namespaces, { kind: "Namespace", metadata: { name: "shop" }, spec: {} });
  await vi.waitFor(() => inProcess.get(serviceAccounts, key("shop", "default")));
  begin = await inProcess.revision();
  const labels = { app: "web" };
  const template = { metadata: { labels }, spec: { containers: [{ name: "web", image: "web:1" }] } };
  const spec = { replicas: 2, selector: { matchLabels: labels }, template };
  await inProcess.create(deployments, { kind: "Deployment", metadata: { name: "web", namespace: "shop" }, spec });
  await replicasAre(2);
  await inProcess.patch(deployments, key("shop", "web"), { type: "merge", patch: { spec: { replicas: 4 } } });
  await replicasAre(4);
  const [first] = (await inProcess.list<Pod>(pods, { namespace: "shop" })).items;
  await inProcess.delete(pods, key("shop", first!.metadata.name), { gracePeriodSeconds: 0 });
  await vi.waitFor(async () => expect((await inProcess.list(pods, { namespace: "shop" })).items).toHaveLength(4));
  await replicasAre(4);
});
afterAll(async () => {
  ended.abort(new Error("the tests have ended"));
  await running.catch(() => {});
  await server.close();
});

const run = (line: string) => commandOutcome(line.split(" "), server.kubeconfig);

test("the deciders of this program decide what happened", async () => {
  const { out, code } = await run(`replay --from ${begin}`);
  expect([out, code]).toEqual([expect.stringMatching(/^\d+ changes, \d+ decisions: .* 0 differ\.\n$/), 0]);
  const { confirmed } = JSON.parse((await run(`replay --from ${begin} -o json`)).out);
  // A replica set, four pods and another, the scale of the replica set, and statuses.
  expect(confirmed).toBeGreaterThanOrEqual(7);
});

/** The differences that a changed decider of replica sets makes, a minute after the last change. */
async function differencesOf(decide: (decision: Decision) => Decision): Promise<readonly Difference[]> {
  const changed: Controller = {
    ...replicaSetController,
    decide: (o, now) => decide(replicaSetController.decide(o, now)),
  };
  const { ca, admin, url } = server;
  const api = connection({ server: url, ca, ...admin });
  const now = world.clock.now();
  const [from, to] = await Promise.all([momentOf(api, String(begin), now), momentOf(api, timestamp(now), now)]);
  const kinds = [replicaSets, pods] as readonly unknown[] as readonly ResourceDefinition[];
  const latest = { revision: await server.inProcess.revision(), time: to.time };
  const { recording } = await readRecording(api, kinds, { from, to: latest });
  const until = (recording.until + 60_000) as typeof recording.until;
  return replay({ ...recording, until }, [changed]).differences;
}

test("a decider that decides more is found, and so is one that decides less", async () => {
  expect(await differencesOf((decision) => decision)).toEqual([]);
  const [set] = (await server.inProcess.list<ReplicaSet>(replicaSets, { namespace: "shop" })).items;
  const extra = { do: "delete", resource: replicaSets, object: set! } as const;
  const more = await differencesOf((decision) => ({ ...decision, actions: [...decision.actions, extra] }));
  expect(more).toContainEqual(
    expect.objectContaining({
      type: "NotDone",
      controller: "replicaset",
      what: `delete replicasets shop/${set!.metadata.name}`,
    }),
  );
  const less = await differencesOf((decision) => ({
    ...decision,
    actions: decision.actions.filter((action) => action.do !== "create"),
  }));
  const creates = less.filter(({ type, what }) => type === "NotDecided" && what.startsWith("create pods shop/"));
  expect(creates).toHaveLength(5);
});

test.each<[line: string, message: string]>([
  ["replay", "say from when"],
  ["replay web --from 1m", "takes no arguments"],
  ["replay --from 1m --controllers magic", 'no controller "magic"'],
])("refused: orrery %s", async (line, message) => {
  const { err, code } = await run(line);
  expect([err, code]).toEqual([expect.stringContaining(message), 1]);
});
