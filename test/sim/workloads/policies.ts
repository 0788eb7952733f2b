// Network policies, enforced on every node by its agent in a model of the kernel: users write policies and change labels,
// agents crash, and the kernel keeps its rules meanwhile.
import { deployments } from "../../../api/apps/deployments.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Deployment, Pod } from "../../../api/generated/types.ts";
import { type Draft, type Key, key, keyOf, revision } from "../../../api/meta.ts";
import { networkPolicies } from "../../../api/networking/networkpolicies.ts";
import type { Client } from "../../../machinery/client.ts";
import { informer } from "../../../machinery/informer.ts";
import { workQueue } from "../../../machinery/workqueue.ts";
import type { Random } from "../../../machinery/world.ts";
import { peerView, policyAgent } from "../../../network/policy/agent.ts";
import type { Committed } from "../judge.ts";
import { type Packet, type PacketFilter, packetFilter } from "../packet-filter.ts";
import { drawContainerPorts, drawLabels, drawOne, drawPacket, drawPolicySpec } from "../policy-drafts.ts";
import { mayForward, type PolicyObjects } from "../policy-reading.ts";
import type { StorageSystem } from "../storage-system.ts";
import { seeded } from "../virtual-clock.ts";
import type { ComponentGround, ComponentOf, Workload } from "./workload.ts";

const namespaceNames = ["red", "blue"];
const policyNames = ["one", "two", "three"];
const beyond = "traffic beyond a policy";
const dropped = "traffic dropped that no policy forbids";

const deployment = (namespace: string, random: Random): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name: "web", namespace },
  spec: {
    replicas: 3,
    selector: { matchLabels: { of: namespace } },
    template: {
      metadata: { labels: { of: namespace, ...drawLabels(random) } },
      spec: { containers: [{ name: "main", image: "app:1", ports: drawContainerPorts(random).slice(0, 1) }] },
    },
  },
});

/** The kernels of the nodes of a life. */
const kernels = new WeakMap<StorageSystem, ReadonlyMap<string, PacketFilter>>();

const outside = "192.0.2.7";
/** Packets between the pods, and from and to outside. */
function packetsBetween(all: readonly Pod[], random: Random): readonly Packet[] {
  const addresses = all.flatMap(({ status }) => status?.podIP ?? []);
  return Array.from({ length: 30 }, () => drawPacket([...addresses, outside], random));
}
/** How a kernel judges otherwise than the objects say. */
function differences(kernel: PacketFilter, objects: PolicyObjects, own: readonly Pod[], packets: readonly Packet[]) {
  return packets.flatMap((packet) => {
    const [passes, may] = [kernel.passes(packet), mayForward(packet, objects, own)];
    const { source, destination, protocol, port, state } = packet;
    const what = `${state} ${protocol} from ${source} to ${destination}:${port}`;
    return passes === may ? [] : [{ rule: passes ? beyond : dropped, what }];
  });
}

const batchMs = 20;
/** The agent of one node. Transactions take some time, and may fail. */
async function runNode(
  { world, accuse, isPeaceful }: ComponentGround,
  nodeName: string,
  kernel: PacketFilter,
  client: Client,
  signal: AbortSignal,
): Promise<void> {
  const selection = { fieldSelector: `spec.nodeName=${nodeName}` };
  const views = {
    policies: informer(client, networkPolicies, world),
    namespaces: informer(client, namespaces, world),
    pods: informer(client, pods, world, { selection }),
    peers: peerView(client, world),
  };
  const run = async (_: string, args: readonly string[], text?: string): Promise<string> => {
    if (text === undefined) return kernel.list();
    // What the transaction was made from.
    const [own, peers] = [views.pods.lister.all(), views.peers.lister.all()];
    const objects = { policies: views.policies.lister.all(), namespaces: views.namespaces.lister.all(), pods: peers };
    await world.clock.sleep(world.random.next() * 50, signal);
    if (!isPeaceful() && world.random.next() < 0.05) throw new Error(`nft ${args.join(" ")}: busy`);
    kernel.transact(text);
    for (const { rule, what } of differences(kernel, objects, own, packetsBetween([...own, ...peers], world.random)))
      accuse(rule, `${nodeName} at revision ${views.policies.lister.revision}: ${what}`);
    return "";
  };
  const queue = workQueue<Key>(world.clock, signal);
  const task = key(undefined, "policies");
  const agent = policyAgent(views, { run, log: world.log, changed: () => queue.addAfter(task, batchMs) }, signal);
  const { peers: _, ...started } = views;
  const running = Object.values(started).map((view) => view.run(signal));
  await Promise.all(Object.values(started).map((view) => view.caughtUp(revision(0), signal)));
  queue.add(task);
  for await (const taken of queue.take(signal)) {
    await agent.enforce().then(
      () => queue.forget(taken),
      () => queue.retry(taken),
    );
    queue.done(taken);
  }
  await Promise.all(running);
}

const component: ComponentOf = (ground) => {
  const own = new Map(ground.nodeNames.map((name) => [name, packetFilter()]));
  kernels.set(ground.storage, own);
  return async (client, signal) => {
    await Promise.all([...own].map(([name, kernel]) => runNode(ground, name, kernel, client, signal)));
  };
};

async function meddlePolicies(user: Client, namespace: string, random: Random): Promise<void> {
  const name = drawOne(policyNames, random);
  await user.delete(networkPolicies, key(namespace, name)).catch(() => {});
  if (random.next() < 0.2) return;
  const spec = drawPolicySpec(random);
  await user.create(networkPolicies, { kind: "NetworkPolicy", metadata: { name, namespace }, spec });
}

async function meddle(user: Client, random: Random): Promise<void> {
  const dice = random.next();
  const namespace = drawOne(namespaceNames, random);
  const labels = { app: null, tier: null, ...drawLabels(random) };
  const relabelled = { type: "merge", patch: { metadata: { labels } } } as const;
  if (dice < 0.4) await meddlePolicies(user, namespace, random);
  else if (dice < 0.5) await user.patch(namespaces, key(undefined, namespace), relabelled);
  else if (dice < 0.9) {
    const { items } = await user.list(pods, { namespace });
    if (items.length > 0) await user.patch(pods, keyOf(drawOne(items, random)), relabelled);
  } else {
    const patch = { spec: { replicas: Math.floor(random.next() * 5) } };
    await user.patch(deployments, key(namespace, "web"), { type: "merge", patch });
  }
}

/** In peace, every kernel judges as the objects say. */
function judgedWrongly(committed: Committed, storage: StorageSystem): readonly string[] {
  const all = committed.all(pods);
  const objects = { policies: committed.all(networkPolicies), namespaces: committed.all(namespaces), pods: all };
  const drawn = packetsBetween(all, seeded(committed.revision));
  return [...(kernels.get(storage) ?? [])].flatMap(([nodeName, kernel]) => {
    const own = all.filter(({ spec }) => spec.nodeName === nodeName);
    return differences(kernel, objects, own, drawn).map(({ rule, what }) => `${rule} on ${nodeName}: ${what}`);
  });
}

export const policyWorkload: Workload = {
  kinds: [networkPolicies, namespaces, pods],
  component,
  accusations: [beyond, dropped],
  async begin(user, random) {
    for (const name of namespaceNames) {
      await user.create(namespaces, { kind: "Namespace", metadata: { name, labels: drawLabels(random) }, spec: {} });
      await user.create(deployments, deployment(name, random));
    }
    await meddlePolicies(user, "red", random);
  },
  meddle,
  async outages({ user, world }, signal) {
    while (!signal.aborted) {
      await world.clock.sleep(2_000 + world.random.next() * 10_000, signal);
      await meddle(user, world.random).catch(() => {});
    }
  },
  rules: () => [],
  unsettled: judgedWrongly,
};
