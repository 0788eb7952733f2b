// Rules of policies in the kernel of this machine, in network namespaces: the kernel accepts every transaction, and
// judges packets as the model of the simulations does.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Namespace, NetworkPolicy, NetworkPolicySpec, Pod } from "../../api/generated/types.ts";
import { key, keyOf } from "../../api/meta.ts";
import { families } from "../../network/policy/addresses.ts";
import { policyDataplane } from "../../network/policy/dataplane.ts";
import { enforcement } from "../../network/policy/enforcement.ts";
import { type Packet, packetFilter } from "../sim/packet-filter.ts";
import { drawLabels, drawOne, drawPolicySpec } from "../sim/policy-drafts.ts";
import { seeded } from "../sim/virtual-clock.ts";
import { type KernelNetwork, kernelNetwork } from "./network-namespaces.ts";

const numbers = [1, 2, 3, 4];
const addressesOf = (i: number): readonly string[] => [`10.0.0.${i}`, `fd00::${i}`];
const servedPorts = [53, 80, 85];
const [server, client, other] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"] as const;

let network: KernelNetwork;
beforeAll(async () => {
  network = await kernelNetwork(numbers.map(addressesOf), servedPorts);
});
afterAll(() => network.remove());

const podOf = (i: number, labels: Readonly<Record<string, string>>, namespace = "red"): Pod =>
  ({
    metadata: { name: `pod-${i}`, namespace, uid: `${i}`, creationTimestamp: "2026-01-01T00:00:00Z", labels },
    spec: {
      containers: [
        {
          name: "c",
          ports: [
            { name: "web", containerPort: 80 },
            { name: "dns", containerPort: 53, protocol: "UDP" },
          ],
        },
      ],
    },
    status: { phase: "Running", podIPs: addressesOf(i).map((ip) => ({ ip })) },
  }) as unknown as Pod;
const policyOf = (spec: NetworkPolicySpec): NetworkPolicy =>
  ({ metadata: { name: "policy", namespace: "red" }, spec }) as unknown as NetworkPolicy;

/** An agent without an API: what it enforces, and its dataplane in the network. */
function node() {
  const enforcements = families.map(enforcement);
  const tables = enforcements.map(({ table }) => table);
  const { apply } = policyDataplane(tables, network.run, (message, { error } = {}) =>
    expect.fail(`${message}: ${error}`),
  );
  const setPods = (pods: readonly Pod[]): void => {
    for (const e of enforcements)
      for (const pod of pods) {
        e.subject(keyOf(pod), pod);
        e.peer(keyOf(pod), pod);
      }
  };
  return {
    tables,
    apply,
    setPods,
    setNamespace(name: string, labels: Readonly<Record<string, string>>) {
      for (const e of enforcements) e.namespace(name, { metadata: { name, labels } } as unknown as Namespace);
    },
    setPolicy(name: string, policy: NetworkPolicy | undefined) {
      for (const e of enforcements) e.policy(key("red", name), "red", policy);
    },
  };
}
const probe = (from: string, host: string, protocol: "tcp" | "udp", port: number): Promise<boolean> =>
  network.ask(from, { do: "probe", protocol, host, port });

test("random transactions: the kernel takes them all, and judges packets as the model does", async () => {
  const random = seeded(14);
  const model = packetFilter();
  const own = node();
  for (let step = 0; step < 40; step++) {
    own.setPods(numbers.map((i) => podOf(i, drawLabels(random), drawOne(["red", "blue"], random))));
    own.setNamespace("blue", drawLabels(random));
    for (const name of ["a", "b", "c"])
      own.setPolicy(
        name,
        random.next() < 0.8
          ? ({ ...policyOf(drawPolicySpec(random)), metadata: { name, namespace: "red" } } as NetworkPolicy)
          : undefined,
      );
    for (const table of own.tables) model.transact(table.transaction(step > 0));
    await own.apply();
    const packets = Array.from({ length: 10 }, (): Packet => {
      const v6 = random.next() < 0.4 ? 1 : 0;
      const [source, destination] = [drawOne(numbers, random), drawOne(numbers, random)].map(
        (i) => addressesOf(i)[v6]!,
      );
      const protocol = drawOne(["tcp", "udp"] as const, random);
      return { source: source!, destination: destination!, protocol, port: drawOne(servedPorts, random) };
    });
    const expected = packets.map((packet) => ({
      packet,
      passes: packet.source === packet.destination || model.passes(packet),
    }));
    const seen = await Promise.all(
      packets.map(async (packet) => ({
        packet,
        passes: await probe(packet.source, packet.destination, packet.protocol as "tcp", packet.port),
      })),
    );
    expect(seen, `step ${step}`).toEqual(expected);
  }
});

test("a new policy ends an open connection, replies pass, and the node always reaches its pods", async () => {
  const own = node();
  own.setPods([podOf(1, { app: "a" }), podOf(2, { app: "b" }), podOf(3, {})]);
  await own.apply();
  expect(await network.ask(client, { do: "open", host: server, port: 80 })).toBe(true);
  expect(await network.ask(client, { do: "echo" })).toBe(true);

  own.setPolicy("closed", policyOf({ podSelector: { matchLabels: { app: "a" } }, policyTypes: ["Ingress", "Egress"] }));
  await own.apply();
  expect(await network.ask(client, { do: "echo" })).toBe(false);
  expect(await probe(other, server, "tcp", 80)).toBe(false);
  expect(await probe("node", server, "tcp", 80)).toBe(true);
  expect(await probe(server, client, "udp", 53)).toBe(false);

  const ingress = [{ from: [{ podSelector: { matchLabels: { app: "b" } } }], ports: [{ port: "web" }] }];
  own.setPolicy(
    "closed",
    policyOf({ podSelector: { matchLabels: { app: "a" } }, policyTypes: ["Ingress", "Egress"], ingress }),
  );
  await own.apply();
  expect(await probe(client, server, "tcp", 80)).toBe(true);
  expect(await probe(client, server, "tcp", 85)).toBe(false);
  expect(await probe(other, server, "tcp", 80)).toBe(false);
  expect(await probe(server, client, "tcp", 80)).toBe(false);
});

test("an agent that starts again replaces what the last one left, and removes it where nothing is isolated", async () => {
  const rules = (): Promise<string> => network.run("nft", ["list", "ruleset"]);
  const before = node();
  before.setPods([podOf(1, { app: "a" })]);
  before.setPolicy("closed", policyOf({ podSelector: {} }));
  await before.apply();
  expect(await rules()).toContain(`${server} : goto pods_ingress_`);
  const next = node();
  next.setPods([podOf(2, {})]);
  await next.apply();
  expect(await rules()).not.toContain("goto");
  expect(await probe(other, server, "tcp", 80)).toBe(true);
});

test("when another program removed the table, the next change writes it again", async () => {
  const logged: string[] = [];
  const one = enforcement("ip");
  const { apply } = policyDataplane([one.table], network.run, (message) => void logged.push(message));
  one.subject(key("red", "pod-1"), podOf(1, {}));
  one.policy(key("red", "policy"), "red", policyOf({ podSelector: {} }));
  await apply();
  await network.run("nft", ["delete", "table", "ip", "orrery_policy"]);
  one.subject(key("red", "pod-2"), podOf(2, {}));
  await apply();
  expect(logged).toEqual(["changing the rules of policies failed, writing all of them"]);
  expect(await probe(client, server, "tcp", 80)).toBe(false);
  expect(await probe(other, client, "tcp", 80)).toBe(false);
});
