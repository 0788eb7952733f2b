// The configuration files that `up` writes.
import { expect, test } from "vitest";
import { agentConfig, autoscalerConfig, engineConfig, serverConfig } from "../../../../cli/cluster/config.ts";
import { checkName, numberOf, workerNumber } from "../../../../cli/cluster/state.ts";

const worker = workerNumber("orrery", "172.30.4.0/24", 2, { cpus: 0.5, memoryBytes: 2 ** 30 });

test("everything about a worker follows from its number", () => {
  expect(worker).toEqual({
    name: "orrery-node-2",
    ip: "172.30.4.12",
    podCidr: "10.244.2.0/24",
    cpus: 0.5,
    memoryBytes: 2 ** 30,
  });
  expect(numberOf(worker)).toBe(2);
});

test("the configuration of an agent has its size, its server and its part of the pod range", () => {
  expect(agentConfig(worker, "172.30.4.2")).toMatchObject({
    nodeName: "orrery-node-2",
    nodeIp: "172.30.4.12",
    server: "https://172.30.4.2:6443",
    capacity: { cpuMillis: 500, memoryBytes: 2 ** 30, pods: 110 },
    podCidr: "10.244.2.0/24",
    podRange: "10.244.0.0/16",
    clusterDns: "10.96.0.10",
  });
});

test("the configuration of an autoscaler has its cluster, its server and its limit", () => {
  expect(autoscalerConfig("orrery", "172.30.4.2", { maxNodes: 5, packing: "MostAllocated" })).toMatchObject({
    cluster: "orrery",
    server: "https://172.30.4.2:6443",
    maxNodes: 5,
    pki: { client: { cert: "/etc/orrery/cluster-autoscaler.crt" } },
  });
});

test("a node's engine takes the first address of its range and leaves the packet filter alone", () => {
  expect(engineConfig(worker)).toMatchObject({
    bip: "10.244.2.1/24",
    dns: ["10.96.0.10"],
    iptables: false,
    "live-restore": true,
  });
});

test("the configuration of a server has its store and its certificates", () => {
  const config = serverConfig(
    "/etc/orrery",
    "172.30.4.2",
    { kind: "etcd", endpoints: ["http://127.0.0.1:2379"] },
    "LeastAllocated",
  );
  expect(config.packing).toBe("LeastAllocated");
  expect(config.store).toEqual({ kind: "etcd", endpoints: ["http://127.0.0.1:2379"] });
  expect(config.pki.serving).toEqual({ cert: "/etc/orrery/apiserver.crt", key: "/etc/orrery/apiserver.key" });
});

const names = [
  ["orrery", true],
  ["second-2", true],
  ["Second", false],
  ["two words", false],
  ["-dash", false],
  ["dash-", false],
  ["../up", false],
  ["cache", false],
  ["bridge", false],
  ["", false],
  ["a".repeat(41), false],
] as const;
for (const [name, good] of names) {
  test(`"${name}" ${good ? "may" : "may not"} name a cluster`, () => {
    if (good) expect(checkName(name)).toBe(name);
    else expect(() => checkName(name)).toThrow(/cannot be the name of a cluster/);
  });
}
