// Rules of single policies as tables: what nftables is given for each field.
import { expect, test } from "vitest";
import type { Namespace, NetworkPolicy, NetworkPolicySpec, Pod } from "../../../api/generated/types.ts";
import { key, keyOf } from "../../../api/meta.ts";
import { addressBook, addressesOf, type Family } from "../../../network/policy/addresses.ts";
import { policyDataplane } from "../../../network/policy/dataplane.ts";
import { enforcement } from "../../../network/policy/enforcement.ts";
import { type Direction, isolates, policyRules } from "../../../network/policy/rules.ts";
import { packetFilter } from "../../sim/packet-filter.ts";

const policyOf = (spec: NetworkPolicySpec, name = "policy"): NetworkPolicy =>
  ({ metadata: { name, namespace: "red" }, spec }) as unknown as NetworkPolicy;
const podOf = (
  name: string,
  more: { readonly spec?: object; readonly status?: object; readonly metadata?: object } = {},
) =>
  ({
    metadata: { name, namespace: "red", uid: name, labels: { app: name }, ...more.metadata },
    spec: { containers: [{ name: "main" }], ...more.spec },
    status: { phase: "Running", podIP: "10.0.0.1", ...more.status },
  }) as unknown as Pod;

/** The rules, with the names of sets replaced by what they hold. */
function rulesOf(spec: NetworkPolicySpec, direction: Direction = "ingress", family: Family = "ip"): readonly string[] {
  const { rules, sets } = policyRules(policyOf(spec), direction, family);
  return rules.map((rule) =>
    rule.replaceAll(/@(\w+)/g, (_, name: string) => {
      const { of, ...set } = sets.get(name)!;
      return `<${of}: ${Object.values(set)
        .map((part) => (typeof part === "string" ? part : JSON.stringify(part)))
        .join(" ")}>`;
    }),
  );
}

test.each<readonly [what: string, spec: NetworkPolicySpec, rules: readonly string[]]>([
  ["no rules", {}, []],
  ["an empty list of rules", { ingress: [] }, []],
  ["an empty rule", { ingress: [{}] }, ["accept"]],
  ["empty lists of peers and ports", { ingress: [{ from: [], ports: [] }] }, ["accept"]],
  ["pods", { ingress: [{ from: [{ podSelector: {} }] }] }, ["ip saddr <pods: red {}> accept"]],
  [
    "namespaces",
    { ingress: [{ from: [{ namespaceSelector: { matchLabels: { a: "b" } } }] }] },
    ['ip saddr <pods in namespaces: {"matchLabels":{"a":"b"}} {}> accept'],
  ],
  [
    "pods in namespaces",
    { ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { a: "b" } } }] }] },
    ['ip saddr <pods in namespaces: {} {"matchLabels":{"a":"b"}}> accept'],
  ],
  ["a block", { ingress: [{ from: [{ ipBlock: { cidr: "10.1.2.3/8" } }] }] }, ["ip saddr 10.0.0.0/8 accept"]],
  [
    "a block with exceptions, one within another",
    {
      ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.2.0/24", "10.1.0.0/16", "10.2.0.0/16"] } }] }],
    },
    ["ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16, 10.2.0.0/16 } accept"],
  ],
  ["every address", { ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }] }, ["accept"]],
  [
    "every address but one",
    { ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.1/32"] } }] }] },
    ["ip saddr != 10.0.0.1/32 accept"],
  ],
  ["a block of the other family", { ingress: [{ from: [{ ipBlock: { cidr: "fd00::/8" } }] }] }, []],
  ["what is no block", { ingress: [{ from: [{ ipBlock: { cidr: "10.0.0.0/8 accept; #" } }] }] }, []],
  ["a peer without a field", { ingress: [{ from: [{}] }] }, []],
  ["a port", { ingress: [{ ports: [{ port: 80 }] }] }, ["tcp dport 80 accept"]],
  [
    "ports and ranges that overlap",
    { ingress: [{ ports: [{ port: 80 }, { port: 70, endPort: 79 }, { port: 75, endPort: 90 }, { port: 443 }] }] },
    ["tcp dport { 70-90, 443 } accept"],
  ],
  [
    "a protocol, whatever the port",
    { ingress: [{ ports: [{ protocol: "UDP" }, { protocol: "UDP", port: 53 }, { protocol: "SCTP", port: 7 }] }] },
    ["meta l4proto udp accept", "sctp dport 7 accept"],
  ],
  [
    "ports by name",
    { ingress: [{ ports: [{ port: "web" }, { port: "dns", protocol: "UDP" }, { port: "web" }] }] },
    [
      "ip daddr . meta l4proto . th dport <ports: web TCP> accept",
      "ip daddr . meta l4proto . th dport <ports: dns UDP> accept",
    ],
  ],
  [
    "each peer with each port",
    {
      ingress: [
        { from: [{ podSelector: {} }, { ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: 1 }, { port: "web" }] },
      ],
    },
    [
      "ip saddr <pods: red {}> tcp dport 1 accept",
      "ip saddr <pods: red {}> ip daddr . meta l4proto . th dport <ports: web TCP> accept",
      "ip saddr 10.0.0.0/8 tcp dport 1 accept",
      "ip saddr 10.0.0.0/8 ip daddr . meta l4proto . th dport <ports: web TCP> accept",
    ],
  ],
])("rules: %s", (_, spec, rules) => expect(rulesOf(spec)).toEqual(rules));

test("rules: egress and the other family", () =>
  expect(
    rulesOf({ egress: [{ to: [{ podSelector: {} }, { ipBlock: { cidr: "fd00::/8" } }] }] }, "egress", "ip6"),
  ).toEqual(["ip6 daddr <pods: red {}> accept", "ip6 daddr fd00::/8 accept"]));

test.each<readonly [what: string, spec: NetworkPolicySpec, directions: readonly Direction[]]>([
  ["no types, no rules", {}, ["ingress"]],
  ["no types, egress rules", { egress: [{}] }, ["ingress", "egress"]],
  ["no types, empty egress", { egress: [] }, ["ingress"]],
  ["only Egress", { policyTypes: ["Egress"], ingress: [{}] }, ["egress"]],
  ["both types", { policyTypes: ["Egress", "Ingress"] }, ["ingress", "egress"]],
  ["a selector that does not match", { podSelector: { matchLabels: { app: "b" } } }, []],
])("isolation: %s", (_, spec, directions) =>
  expect((["ingress", "egress"] as const).filter((d) => isolates(policyOf(spec), podOf("a"), d))).toEqual(directions),
);
test("isolation: pods of another namespace are not selected", () =>
  expect(isolates(policyOf({}), podOf("a", { metadata: { namespace: "blue" } }), "ingress")).toBe(false));

test.each<readonly [what: string, pod: Pod, family: Family, addresses: readonly string[]]>([
  ["a running pod", podOf("a"), "ip", ["10.0.0.1"]],
  ["both families", podOf("a", { status: { podIPs: [{ ip: "10.0.0.2" }, { ip: "FD00::0:1" }] } }), "ip6", ["fd00::1"]],
  ["a pod on the host's network", podOf("a", { spec: { hostNetwork: true } }), "ip", []],
  ["a pod that has ended", podOf("a", { status: { phase: "Failed" } }), "ip", []],
  [
    "a pod that is being deleted",
    podOf("a", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }),
    "ip",
    ["10.0.0.1"],
  ],
  ["a pod without an address", podOf("a", { status: { podIP: undefined } }), "ip", []],
  ["what is no address", podOf("a", { status: { podIP: "10.0.0.1 }; flush ruleset; {" } }), "ip", []],
])("addresses: %s", (_, pod, family, addresses) => expect(addressesOf(pod, family)).toEqual(addresses));

test("addresses: the newest of the pods that are shown with one has it, until it is gone", () => {
  const book = addressBook("ip", () => {});
  const [old, young] = ["2026-01-01", "2026-01-02"].map((day, i) =>
    podOf(`${i}`, { metadata: { creationTimestamp: `${day}T00:00:00Z` } }),
  ) as [Pod, Pod];
  for (const pod of [young, old]) book.set(keyOf(pod), pod);
  expect(book.ownerOf("10.0.0.1")).toBe(young);
  expect([...book.addresses("red")]).toEqual(["10.0.0.1"]);
  book.set(keyOf(young), undefined);
  expect(book.ownerOf("10.0.0.1")).toBe(old);
  book.set(keyOf(old), undefined);
  expect([...book.addresses("red"), ...book.addresses()]).toEqual([]);
});

/** Two isolated pods on a node, a third elsewhere, and what the next transaction is. */
function twoIsolated() {
  const one = enforcement("ip");
  const at = (i: number): object => ({ status: { podIP: `10.0.0.${i}` } });
  for (const pod of [podOf("a", at(1)), podOf("b", at(2))]) one.subject(keyOf(pod), pod);
  for (const pod of [podOf("a", at(1)), podOf("b", at(2)), podOf("c", at(3))]) one.peer(keyOf(pod), pod);
  one.namespace("red", { metadata: { name: "red" } } as unknown as Namespace);
  const spec = { podSelector: {}, ingress: [{ from: [{ podSelector: { matchLabels: { app: "c" } } }] }] };
  one.policy(key("red", "policy"), "red", policyOf(spec));
  one.policy(key("red", "another"), "red", policyOf(spec, "another"));
  const next = (): string => {
    const text = one.table.transaction(true);
    one.table.settle();
    return text.replaceAll(/_[0-9a-f]{20}/g, "");
  };
  one.table.settle();
  return { one, at, next };
}

test("a peer that comes changes one element of a set that policies share", () => {
  const { one, at, next } = twoIsolated();
  one.peer(key("red", "d"), podOf("d", { ...at(4), metadata: { labels: { app: "c" } } }));
  expect(next()).toBe("add element ip orrery_policy pods { 10.0.0.4 }\n");
  one.peer(key("red", "e"), podOf("e", at(5)));
  expect(next()).toBe("");
});

test("a pod that starts here shares the chain of those that the same policies isolate", () => {
  const { one, at, next } = twoIsolated();
  one.subject(key("red", "d"), podOf("d", at(4)));
  expect(next()).toBe(
    "add element ip orrery_policy ingress { 10.0.0.4 : goto pods_ingress }\n" +
      "add element ip orrery_policy selves { 10.0.0.4 . 10.0.0.4 }\n",
  );
});

test("ports by name are those of containers that run as long as the pod, whatever policy names them", () => {
  const one = enforcement("ip");
  const ports = (name: string, containerPort: number) => [{ name, containerPort }];
  const containers = [{ name: "main", ports: [...ports("web", 80), ...ports("web", 81), ...ports("other", 82)] }];
  const sidecar = { name: "sidecar", restartPolicy: "Always", ports: ports("web", 90) };
  const initContainers = [{ name: "first", ports: ports("web", 91) }, sidecar];
  const pod = podOf("a", { spec: { containers, initContainers } });
  one.subject(keyOf(pod), pod);
  one.peer(keyOf(pod), pod);
  one.policy(key("red", "policy"), "red", policyOf({ ingress: [{ ports: [{ port: "web" }] }] }));
  const [set = ""] = one.table.sets.entries.keys();
  expect([...one.table.elements(set).entries.keys()]).toEqual([80, 81, 90].map((port) => `10.0.0.1 . tcp . ${port}`));
});

test("a policy that goes takes its set with it", () => {
  const { one, next } = twoIsolated();
  for (const name of ["policy", "another"]) one.policy(key("red", name), "red", undefined);
  expect(next()).toContain("delete set ip orrery_policy pods\n");
  expect([one.table.sets, one.table.chains, one.table.ingress, one.table.selves].map((j) => j.entries.size)).toEqual([
    0, 0, 0, 0,
  ]);
});

test("nobody chooses the name of another policy's chain: names are hashes of namespace and name", () => {
  const names = ["a/b-c", "a-b/c", "a/b/c"].map((at) => {
    const one = enforcement("ip");
    const [namespace = ""] = at.split("/");
    const pod = podOf("a", { metadata: { namespace } });
    one.subject(keyOf(pod), pod);
    one.policy(at as never, namespace, { metadata: { namespace }, spec: {} } as unknown as NetworkPolicy);
    return [...one.table.chains.entries.keys()].find((name) => name.startsWith("policy"));
  });
  expect(new Set(names).size).toBe(3);
});

test("dataplane: a family without isolated pods is left alone, and what an earlier agent left is removed", async () => {
  const kernel = packetFilter();
  const calls: string[] = [];
  const run = async (_: string, args: readonly string[], text?: string): Promise<string> => {
    calls.push(args.join(" "));
    if (text === undefined) return kernel.list();
    kernel.transact(text);
    return "";
  };
  const table = (isolated: boolean) => {
    const one = enforcement("ip");
    if (isolated) one.policy(key("red", "policy"), "red", policyOf({}));
    one.subject(key("red", "a"), podOf("a"));
    return one.table;
  };
  const first = policyDataplane([table(false)], run, () => {});
  await first.apply();
  await first.apply();
  expect(calls.splice(0)).toEqual(["list tables"]);
  await policyDataplane([table(true)], run, () => {}).apply();
  const packet = { source: "10.0.0.9", destination: "10.0.0.1", protocol: "tcp", port: 80 } as const;
  expect(kernel.passes(packet)).toBe(false);
  await policyDataplane([table(false)], run, () => {}).apply();
  expect(kernel.passes(packet)).toBe(true);
});

test("dataplane: a refused change is followed by the complete table, a refused table by another try", async () => {
  const kernel = packetFilter();
  const logged: string[] = [];
  let refusals = 0;
  const run = async (_: string, __: readonly string[], text?: string): Promise<string> => {
    if (text === undefined) return kernel.list();
    if (refusals-- > 0) throw new Error("busy");
    kernel.transact(text);
    return "";
  };
  const one = enforcement("ip");
  const { apply } = policyDataplane([one.table], run, (message) => void logged.push(message));
  one.subject(key("red", "a"), podOf("a"));
  await apply();
  one.policy(key("red", "policy"), "red", policyOf({}));
  refusals = 1;
  await expect(apply()).rejects.toThrow("busy");
  await apply();
  one.subject(key("red", "b"), podOf("b", { status: { podIP: "10.0.0.2" } }));
  refusals = 1;
  await apply();
  const to = (destination: string) => kernel.passes({ source: "10.0.0.9", destination, protocol: "tcp", port: 80 });
  expect([to("10.0.0.1"), to("10.0.0.2"), to("10.0.0.3")]).toEqual([false, false, true]);
  expect(logged).toEqual(["changing the rules of policies failed, writing all of them"]);
});
