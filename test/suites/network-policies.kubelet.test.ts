// A pod that starts under a policy: its containers start after the network isolates it.
import { afterEach, expect, test } from "vitest";
import { namespaces } from "../../api/core/namespaces.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key, revision, revisionOf } from "../../api/meta.ts";
import { networkPolicies } from "../../api/networking/networkpolicies.ts";
import { informer } from "../../machinery/informer.ts";
import { peerView, policyAgent } from "../../network/policy/agent.ts";
import { packetFilter } from "../sim/packet-filter.ts";
import { nodeName, openStage, type Stage, until, world } from "./kubelet-stage.ts";

const life = new AbortController().signal;
let stage: Stage;
let end = new AbortController();
afterEach(async () => {
  end.abort();
  await stage.close();
});

test("a container waits for the network, which is requested again after a failure", async () => {
  const ready = Promise.withResolvers<void>();
  const admittedPods: string[] = [];
  stage = await openStage({}, async (pod, address) => {
    admittedPods.push(`${pod.metadata.name} ${address}`);
    if (admittedPods.length === 1) throw new Error("no rules");
    await ready.promise;
  });
  stage.start();
  await stage.bind("web");
  await until(
    async () => admittedPods.length,
    (times) => times === 2,
  );
  const { containers, sandboxes } = await stage.runtime.list(undefined, life);
  expect(containers.map(({ status }) => status.state)).toEqual(["created"]);
  expect(admittedPods).toEqual(Array(2).fill(`web ${sandboxes[0]!.ip}`));
  ready.resolve();
  await stage.ready("web");
});

test("a pod on the host's network does not wait", async () => {
  stage = await openStage({}, () => new Promise(() => {}));
  stage.start();
  await stage.bind("host", { hostNetwork: true });
  await stage.ready("host");
});

/** An agent of the node, with a model of the kernel. */
function agentOf({ client }: Stage) {
  end = new AbortController();
  const kernel = packetFilter();
  const run = async (_: string, __: readonly string[], text?: string): Promise<string> => {
    if (text !== undefined) kernel.transact(text);
    return kernel.list();
  };
  const selection = { fieldSelector: `spec.nodeName=${nodeName}` };
  const views = {
    policies: informer(client, networkPolicies, world),
    namespaces: informer(client, namespaces, world),
    pods: informer(client, pods, world, { selection }),
    peers: peerView(client, world),
  };
  const agent = policyAgent(views, { run, log: world.log, changed: () => {} }, end.signal);
  const started = [views.policies, views.namespaces, views.pods];
  return {
    kernel,
    agent,
    peers: views.peers.lister,
    caughtUp: (pod: Pod) => views.pods.caughtUp(revisionOf(pod), end.signal),
    async start() {
      for (const view of started) void view.run(end.signal);
      await Promise.all(started.map((view) => view.caughtUp(revision(0), end.signal)));
      await agent.enforce();
    },
  };
}

const deny = {
  kind: "NetworkPolicy",
  metadata: { name: "deny", namespace: "default" },
  spec: { podSelector: {} },
} as const;
const passing = (destination: string) => ({ source: "10.9.9.9", destination, protocol: "tcp", port: 80 }) as const;

test("nothing starts before the agent has caught up, and then what policies select is isolated until it is gone", async () => {
  const passed: boolean[] = [];
  stage = await openStage({}, async (pod, address) => {
    await node.agent.admit(pod, address);
    passed.push(node.kernel.passes(passing(address)));
  });
  const node = agentOf(stage);
  await stage.bind("web");
  stage.start();
  await until(
    async () => (await stage.runtime.list(undefined, life)).containers.length,
    (count) => count === 1,
  );
  await stage.client.create(networkPolicies, deny);
  expect([passed, node.peers.all()]).toEqual([[], []]);
  await node.start();
  const { podIP = "" } = (await stage.ready("web")).status!;
  await node.agent.enforce();
  expect([passed, node.kernel.passes(passing(podIP)), node.peers.all().length]).toEqual([[false], false, 1]);
  await stage.client.delete(pods, key("default", "web"), { gracePeriodSeconds: 0 });
  await until(
    () => node.agent.enforce().then(() => node.kernel.passes(passing(podIP))),
    (isFree) => isFree,
  );
});

test("an address that the API does not show yet is isolated, also after other changes of the pod", async () => {
  stage = await openStage();
  const node = agentOf(stage);
  await stage.client.create(networkPolicies, deny);
  await stage.bind("web");
  await node.start();
  const pod = (await stage.find("web"))!;
  await node.agent.admit(pod, "10.7.7.7");
  expect(node.kernel.passes(passing("10.7.7.7"))).toBe(false);
  const labelled = { type: "merge", patch: { metadata: { labels: { a: "b" } } } } as const;
  const changed = await stage.client.patch(pods, key("default", "web"), labelled);
  await node.caughtUp(changed);
  await node.agent.enforce();
  expect(node.kernel.passes(passing("10.7.7.7"))).toBe(false);
  const failed = await stage.client.update(
    pods,
    { ...changed, status: { ...changed.status, phase: "Failed" } },
    "status",
  );
  await node.caughtUp(failed);
  await node.agent.enforce();
  expect(node.kernel.passes(passing("10.7.7.7"))).toBe(true);
});
