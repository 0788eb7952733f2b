// Rules of services, and the transactions between rule sets.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { EndpointSlice, Pod, Service } from "../../../api/generated/types.ts";
import { changesBetween, wholeTable } from "../../../network/proxy/nftables.ts";
import { rulesOf, type Ruleset } from "../../../network/proxy/rules.ts";

const service = (name: string, spec: object = {}): Service =>
  ({
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { clusterIP: "10.96.0.20", ports: [{ port: 80, protocol: "TCP" }], ...spec },
  }) as unknown as Service;
const slice = (
  endpoints: readonly object[],
  ports: readonly object[] = [{ name: "", port: 8080, protocol: "TCP" }],
): EndpointSlice => ({ metadata: {}, addressType: "IPv4", endpoints, ports }) as unknown as EndpointSlice;
const at = (address: string, nodeName = "n2", conditions: object = { ready: true }) => ({
  addresses: [address],
  nodeName,
  conditions,
});
const look = (s: Service, endpoints: readonly object[], pods: readonly Pod[] = []): Ruleset =>
  rulesOf({ nodeName: "n1", services: [s], slicesOf: () => [slice(endpoints)], pods });
const lines = (r: Ruleset, prefix: string): readonly string[] =>
  [...r.chains].filter(([name]) => name.startsWith(prefix)).flatMap(([, rules]) => rules);

test("rules: DNAT to a single endpoint", () =>
  expect(lines(look(service("web"), [at("10.244.2.2")]), "svc_")).toEqual([
    "meta l4proto tcp dnat to 10.244.2.2:8080",
  ]));
test("rules: several endpoints are chosen at random", () =>
  expect(lines(look(service("web"), [at("10.244.2.2"), at("10.244.3.2")]), "svc_")).toEqual([
    "meta l4proto tcp dnat ip addr . port to numgen random mod 2 map { 0 : 10.244.2.2 . 8080, 1 : 10.244.3.2 . 8080 }",
  ]));
test("rules: a service without endpoints rejects packets", () => {
  const rules = look(service("web", { type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }), []);
  expect([rules.services.size, rules.nodePorts.size, rules.chains.size]).toEqual([0, 0, 0]);
});
test("rules: only ready endpoints, or terminating ones when none is ready", () => {
  const leaving = { ready: false, serving: true, terminating: true };
  expect(lines(look(service("web"), [at("10.244.2.2"), at("10.244.2.3", "n2", leaving)]), "svc_")[0]).toContain(
    "10.244.2.2",
  );
  expect(lines(look(service("web"), [at("10.244.2.3", "n2", leaving)]), "svc_")[0]).toContain("10.244.2.3");
  expect(look(service("web"), [at("10.244.2.4", "n2", { ready: false })]).services.size).toBe(0);
});
test("rules: headless and ExternalName services have none", () => {
  expect(look(service("web", { clusterIP: "None" }), [at("10.244.2.2")]).chains.size).toBe(0);
  expect(look(service("web", { type: "ExternalName", clusterIP: undefined }), [at("10.244.2.2")]).chains.size).toBe(0);
});
test("rules: node port traffic is masqueraded, unless it stays on the node", () => {
  const ports = [{ port: 80, nodePort: 30080 }];
  expect(lines(look(service("web", { type: "NodePort", ports }), [at("10.244.2.2")]), "np_")[0]).toContain("0x4000");
  const local = look(service("web", { type: "NodePort", ports, externalTrafficPolicy: "Local" }), [
    at("10.244.1.2", "n1"),
    at("10.244.2.2"),
  ]);
  expect(lines(local, "np_").join()).not.toContain("0x4000");
  expect(lines(local, "loc_")).toEqual(["meta l4proto tcp dnat to 10.244.1.2:8080"]);
  expect(
    lines(look(service("web", { type: "NodePort", ports, externalTrafficPolicy: "Local" }), [at("10.244.2.2")]), "np_"),
  ).toEqual(["drop"]);
});
test("rules: session affinity has the requested timeout", () => {
  const rules = look(
    service("web", { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }),
    [at("10.244.2.2"), at("10.244.3.2")],
  );
  expect([...rules.sets.values()]).toEqual(Array(2).fill("type ipv4_addr; flags dynamic,timeout; timeout 60s;"));
  expect(lines(rules, "svc_")).toHaveLength(3);
});
test("rules: hairpin traffic of local pods is masqueraded", () =>
  expect([...look(service("web"), [at("10.244.1.2", "n1"), at("10.244.2.2")]).hairpins]).toEqual([
    "10.244.1.2 . 10.244.1.2",
  ]));
const hostPortPod = (port: object): Pod =>
  ({
    spec: { containers: [{ ports: [{ containerPort: 80, ...port }] }] },
    status: { podIP: "10.244.1.9", phase: "Running" },
  }) as unknown as Pod;
test.each([
  ["any address", {}, ["tcp . 8081", "10.244.1.9 . 80"], undefined],
  ["the unspecified address", { hostIP: "0.0.0.0" }, ["tcp . 8081", "10.244.1.9 . 80"], undefined],
  ["one address", { hostIP: "127.0.0.1" }, undefined, ["127.0.0.1 . tcp . 8081", "10.244.1.9 . 80"]],
  [
    "another protocol",
    { hostIP: "172.30.0.11", protocol: "UDP" },
    undefined,
    ["172.30.0.11 . udp . 8081", "10.244.1.9 . 80"],
  ],
] as const)("rules: a host port on %s is forwarded to its pod", (_, port, onAny, onOne) => {
  const pods = [hostPortPod({ hostPort: 8081, ...port })];
  const { hostPorts, hostAddressPorts } = rulesOf({ nodeName: "n1", services: [], slicesOf: () => [], pods });
  expect([[...hostPorts][0], [...hostAddressPorts][0]]).toEqual([onAny, onOne]);
});

test("rules: the complete table is one transaction", () => {
  const text = wholeTable(look(service("web"), [at("10.244.2.2")]), {
    pods: "10.244.0.0/16",
    services: "10.96.0.0/16",
    dns: "10.96.0.10",
  });
  expect(text).toMatch(/^table ip orrery\ndelete table ip orrery\ntable ip orrery \{/);
  expect(text).toContain("elements = { 10.96.0.20 . tcp . 80 : goto svc_");
  expect(text).not.toContain("flush ruleset");
});
const udp = (spec: object, endpoints: readonly object[], pods: readonly Pod[] = []): object =>
  Object.fromEntries(
    [
      ...rulesOf({
        nodeName: "n1",
        services: [service("dns", { ports: [{ port: 53, protocol: "UDP", nodePort: 30_053 }], ...spec })],
        slicesOf: () => [slice(endpoints, [{ name: "", port: 5353, protocol: "UDP" }])],
        pods,
      }).udpBackends,
    ].map(([frontend, backends]) => [frontend, [...backends]]),
  );
test("rules: UDP flows can use all serving endpoints", () => {
  const leaving = { ready: false, serving: true, terminating: true };
  const endpoints = [at("10.244.2.2"), at("10.244.2.3", "n1", leaving), at("10.244.2.4", "n1", { ready: false })];
  const both = ["10.244.2.2:5353", "10.244.2.3:5353"];
  expect(udp({ internalTrafficPolicy: "Local" }, endpoints)).toEqual({ "10.96.0.20:53": both, "*:30053": both });
  expect(udp({}, [])).toEqual({});
});
test("rules: UDP host ports have flows", () =>
  expect(udp({}, [], [hostPortPod({ hostPort: 53, protocol: "UDP" })])).toEqual({ "*:53": ["10.244.1.9:80"] }));

test.each(["service.kubernetes.io/headless", "service.kubernetes.io/service-proxy-name"])(
  "rules: services with the label %s are ignored",
  (label) => {
    const labelled = <T extends Service | EndpointSlice>(object: T): T => ({
      ...object,
      metadata: { ...object.metadata, labels: { [label]: "" } },
    });
    const ofBoth = (s: Service, e: EndpointSlice): Ruleset =>
      rulesOf({ nodeName: "n1", services: [s], slicesOf: () => [e], pods: [] });
    const [own, endpoints] = [service("web"), slice([at("10.244.2.2")])];
    expect(ofBoth(own, endpoints).services.size).toBe(1);
    expect(ofBoth(labelled(own), endpoints).services.size).toBe(0);
    expect(ofBoth(own, labelled(endpoints)).services.size).toBe(0);
  },
);

/** A minimal interpreter of the rules: it applies changes and rejects references to missing objects. */
function applied(
  before: Ruleset,
  text: string,
): { readonly chains: object; readonly maps: object; readonly sets: object } {
  const chains = new Map([...before.chains].map(([k, v]) => [k, [...v]]));
  const maps = {
    services: new Map(before.services),
    nodeports: new Map(before.nodePorts),
    hostports: new Map(before.hostPorts),
    hostaddressports: new Map(before.hostAddressPorts),
  };
  const sets = new Map(before.sets);
  const hairpins = new Set(before.hairpins);
  const refers = (rule: string): readonly string[] => rule.match(/(?<=goto )\w+/g) ?? [];
  for (const line of text.split("\n").filter((l) => l !== "")) {
    const [, verb, what, rest = ""] = /^(add|delete|flush) (\w+) ip orrery (.*)$/.exec(line)!;
    const [name = ""] = rest.split(" ");
    const items = (/\{ (.*) \}/.exec(rest)?.[1] ?? "").split(", ");
    if (what === "chain" && verb === "add") chains.set(name, []);
    else if (what === "chain" && verb === "flush") chains.set(name, []);
    else if (what === "chain") {
      const users = [...chains.values(), ...Object.values(maps).map((m) => [...m.values()])].flat().flatMap(refers);
      expect(users).not.toContain(name);
      expect(chains.delete(name)).toBe(true);
    } else if (what === "rule") {
      for (const target of refers(line)) expect(chains.has(target)).toBe(true);
      chains.get(name)!.push(rest.slice(name.length + 1));
    } else if (what === "set" && verb === "add") sets.set(name, rest.slice(name.length + 3, -2));
    else if (what === "set") expect(sets.delete(name)).toBe(true);
    else if (name === "hairpins")
      for (const i of items) verb === "add" ? hairpins.add(i) : expect(hairpins.delete(i)).toBe(true);
    else
      for (const i of items) {
        const [k = "", v = ""] = i.split(" : ");
        if (verb === "delete") expect(maps[name as "services"].delete(k)).toBe(true);
        else {
          for (const target of refers(v)) expect(chains.has(target)).toBe(true);
          expect(maps[name as "services"].has(k)).toBe(false);
          maps[name as "services"].set(k, v);
        }
      }
  }
  return {
    chains: new Map([...chains].toSorted()),
    maps: Object.values(maps).map((m) => new Map([...m].toSorted())),
    sets: new Map([...sets].toSorted()),
  };
}
const asState = (r: Ruleset) => ({
  chains: new Map([...r.chains].map(([k, v]) => [k, [...v]] as const).toSorted()),
  maps: [r.services, r.nodePorts, r.hostPorts, r.hostAddressPorts].map((m) => new Map([...m].toSorted())),
  sets: new Map([...r.sets].toSorted()),
});

const anyService = fc.record({
  name: fc.constantFrom("a", "b", "c"),
  ip: fc.constantFrom("10.96.0.1", "10.96.0.2", "10.96.0.3"),
  nodePort: fc.constantFrom(undefined, 30_001, 30_002),
  sticky: fc.boolean(),
  local: fc.boolean(),
  endpoints: fc.uniqueArray(
    fc.record({ ip: fc.constantFrom("10.244.1.1", "10.244.1.2", "10.244.2.1"), ready: fc.boolean() }),
    { selector: (e) => e.ip },
  ),
});
const anyPod = fc
  .record({ hostPort: fc.constantFrom(80, 81), hostIP: fc.constantFrom(undefined, "127.0.0.1", "172.30.0.11") })
  .map(hostPortPod);
const anyServices = fc.uniqueArray(anyService, { selector: (s) => s.name, maxLength: 3 });
const anyRules = fc.tuple(anyServices, fc.array(anyPod, { maxLength: 3 })).map(([list, pods]) => {
  const spec = (s: (typeof list)[number]) => ({
    clusterIP: s.ip,
    ports: [{ port: 80, nodePort: s.nodePort }],
    sessionAffinity: s.sticky ? "ClientIP" : "None",
    externalTrafficPolicy: s.local ? "Local" : "Cluster",
  });
  const slices = new Map<string, readonly EndpointSlice[]>(
    list.map((s) => [
      s.name,
      [slice(s.endpoints.map((e) => at(e.ip, e.ip.startsWith("10.244.1") ? "n1" : "n2", { ready: e.ready })))],
    ]),
  );
  return rulesOf({
    nodeName: "n1",
    services: list.map((s) => service(s.name, spec(s))),
    slicesOf: (s) => slices.get(s.metadata.name)!,
    pods,
  });
});
test("rules: the changes between any two rule sets produce the second, in a valid order", () => {
  fc.assert(
    fc.property(anyRules, anyRules, (before, next) => {
      expect(applied(before, changesBetween(before, next))).toEqual(asState(next));
      expect(changesBetween(next, next)).toBe("");
    }),
    { numRuns: 500 },
  );
});
