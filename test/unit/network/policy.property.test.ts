// The rules of random policies beside a naive reading of them, through random changes.
import { expect, test } from "vitest";
import type { Namespace, NetworkPolicy, Pod } from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import type { Random } from "../../../machinery/world.ts";
import { families } from "../../../network/policy/addresses.ts";
import { enforcement } from "../../../network/policy/enforcement.ts";
import { packetFilter } from "../../sim/packet-filter.ts";
import { drawContainerPorts, drawLabels, drawOne, drawPacket, drawPolicySpec } from "../../sim/policy-drafts.ts";
import { mayForward } from "../../sim/policy-reading.ts";
import { seeded } from "../../sim/virtual-clock.ts";

const nodeName = "n1";
const namespaceNames = ["red", "blue"];
const numbers = [1, 2, 3, 4, 5, 6];
const outside = ["192.0.2.7", "172.30.0.2", "2001:db8::7"];
const addresses = [...numbers.flatMap((i) => [`10.0.0.${i}`, `fd00::${i}`]), ...outside];

interface Cluster {
  readonly policies: Map<string, NetworkPolicy>;
  readonly namespaces: Map<string, Namespace>;
  readonly pods: Map<string, Pod>;
}
const emptyCluster = (): Cluster => ({ policies: new Map(), namespaces: new Map(), pods: new Map() });

function drawPod(namespace: string, name: string, time: number, random: Random): Pod {
  const number = drawOne(numbers, random);
  const ips =
    random.next() < 0.1
      ? []
      : [{ ip: `10.0.0.${number}` }, ...(random.next() < 0.7 ? [{ ip: `fd00::${number}` }] : [])];
  const sidecar = { name: "s", restartPolicy: "Always", ports: drawContainerPorts(random) };
  const initial = { name: "i", ports: drawContainerPorts(random) };
  return {
    metadata: {
      name,
      namespace,
      uid: `${time}`,
      creationTimestamp: `${Math.floor(time / 3)}`.padStart(8, "0"),
      labels: drawLabels(random),
    },
    spec: {
      nodeName: random.next() < 0.6 ? nodeName : "n2",
      hostNetwork: random.next() < 0.1,
      containers: [{ name: "c", ports: drawContainerPorts(random) }],
      initContainers: drawOne([[], [sidecar], [initial]], random),
    },
    status: {
      phase: drawOne(["Running", "Running", "Running", "Pending", "Succeeded"], random),
      podIP: ips[0]?.ip,
      podIPs: ips,
    },
  } as unknown as Pod;
}

/** Changes one object of the cluster, and reports it to both families. */
function change(
  cluster: Cluster,
  inputs: readonly ReturnType<typeof enforcement>[],
  time: number,
  random: Random,
): void {
  const dice = random.next();
  const namespace = drawOne(namespaceNames, random);
  const isGone = random.next() < 0.25;
  if (dice < 0.15) {
    const object = { metadata: { name: namespace, labels: drawLabels(random) } } as unknown as Namespace;
    if (isGone) cluster.namespaces.delete(namespace);
    else cluster.namespaces.set(namespace, object);
    for (const i of inputs) i.namespace(namespace, isGone ? undefined : object);
  } else if (dice < 0.5) {
    const at = key(namespace, `policy-${Math.floor(random.next() * 3)}`);
    const metadata = { name: at.split("/")[1], namespace };
    const policy = { metadata, spec: drawPolicySpec(random) } as unknown as NetworkPolicy;
    if (isGone) cluster.policies.delete(at);
    else cluster.policies.set(at, policy);
    for (const i of inputs) i.policy(at, namespace, isGone ? undefined : policy);
  } else {
    const name = `pod-${Math.floor(random.next() * 4)}`;
    const pod = drawPod(namespace, name, time, random);
    const at = keyOf(pod);
    if (isGone) cluster.pods.delete(at);
    else cluster.pods.set(at, pod);
    const own = !isGone && pod.spec.nodeName === nodeName ? pod : undefined;
    for (const i of inputs) {
      i.subject(at, own);
      i.peer(at, isGone ? undefined : pod);
    }
  }
}

const objectsOf = ({ policies, namespaces, pods }: Cluster) => ({
  ...{ policies: [...policies.values()], namespaces: [...namespaces.values()], pods: [...pods.values()] },
});

/** The rules as an agent writes them that starts now. */
function freshContent(cluster: Cluster): unknown {
  const filter = packetFilter();
  for (const family of families) {
    const fresh = enforcement(family);
    for (const [at, pod] of cluster.pods) {
      fresh.peer(at as never, pod);
      if (pod.spec.nodeName === nodeName) fresh.subject(at as never, pod);
    }
    for (const [at, policy] of cluster.policies) fresh.policy(at as never, policy.metadata.namespace!, policy);
    for (const [name, namespace] of cluster.namespaces) fresh.namespace(name, namespace);
    filter.transact(fresh.table.transaction(false));
  }
  return filter.content();
}

const seeds = Number(process.env["POLICY_SEEDS"] ?? 500);
const steps = 50;
test(`${seeds * steps} random clusters: no packet passes that may not, and none is dropped that may`, () => {
  let [passed, dropped] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const random = seeded(seed);
    const cluster = emptyCluster();
    const enforcements = families.map(enforcement);
    const filter = packetFilter();
    for (let step = 0; step < steps; step++) {
      for (let i = 0; i < random.next() * 3; i++) change(cluster, enforcements, 3 * step + i, random);
      for (const { table } of enforcements) {
        filter.transact(table.transaction(step > 0));
        table.settle();
      }
      const objects = objectsOf(cluster);
      const own = objects.pods.filter(({ spec }) => spec.nodeName === nodeName);
      for (let i = 0; i < 12; i++) {
        const packet = drawPacket(addresses, random);
        const may = mayForward(packet, objects, own);
        if (filter.passes(packet) !== may)
          expect({ seed, step, packet, passes: !may }).toEqual({ seed, step, packet, passes: may });
        if (may) passed++;
        else dropped++;
      }
    }
    expect(filter.content(), `seed ${seed}`).toEqual(freshContent(cluster));
  }
  expect(Math.min(passed, dropped)).toBeGreaterThan((seeds * steps) / 2);
});
