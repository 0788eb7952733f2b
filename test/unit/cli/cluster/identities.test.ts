// The identities of a node's components in a cluster that an earlier version created.
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instant } from "../../../../api/meta.ts";
import { type AgentConfig, readConfig } from "../../../../cli/cluster/config.ts";
import { controlPlaneNumber } from "../../../../cli/cluster/control-planes.ts";
import { completeWorkers, writeClusterFiles } from "../../../../cli/cluster/node-files.ts";
import { type ClusterState, workerNumber } from "../../../../cli/cluster/state.ts";
import { clusterDir } from "../../../../cli/paths.ts";

const before = process.env["HOME"];
const home = mkdtempSync(join(tmpdir(), "identities-"));
const now = instant(Date.parse("2026-06-01T00:00:00Z"));
const [name, subnet] = ["old", "172.30.9.0/24"];
const state: ClusterState = {
  ...{ name, subnet, complete: true, store: "sqlite", packing: "MostAllocated", apiPort: 6443, privileges: "fallback" },
  controlPlane: controlPlaneNumber(name, subnet, 1),
  workers: [1, 2].map((n) => workerNumber(name, subnet, n, { cpus: 1, memoryBytes: 2 ** 30 })),
};
const file = (node: number, path: string): string => clusterDir(name, "nodes", `${name}-node-${node}`, path);
const read = (node: number, path: string): string => readFileSync(file(node, path), "utf8");

beforeAll(async () => {
  process.env["HOME"] = home;
  mkdirSync(clusterDir(name), { recursive: true });
  await writeClusterFiles(state, now);
});
afterAll(() => {
  process.env["HOME"] = before;
  rmSync(home, { recursive: true });
});

test("missing ones are issued by the cluster's authority; what a node has stays", async () => {
  const [kept, ca] = [read(2, "csi.crt"), read(1, "ca.crt")];
  for (const pair of ["csi", "network"]) for (const end of ["crt", "key"]) rmSync(file(1, `${pair}.${end}`));
  await completeWorkers(state, now);
  const { pki } = readConfig<AgentConfig>(file(1, "agent.json"));
  expect([pki.network!.cert, pki.csi!.key]).toEqual(["/etc/orrery/network.crt", "/etc/orrery/csi.key"]);
  for (const pair of ["csi", "network"]) {
    expect(existsSync(file(1, `${pair}.key`))).toBe(true);
    expect(new X509Certificate(read(1, `${pair}.crt`)).verify(new X509Certificate(ca).publicKey)).toBe(true);
  }
  expect(read(2, "csi.crt")).toBe(kept);
});

test("those that have expired while the node was stopped are issued again, by the same authority", async () => {
  const [ca, validTo] = [
    read(1, "ca.crt"),
    (pair: string) => new X509Certificate(read(1, `${pair}.crt`)).validToDate.getTime(),
  ];
  const pairs = ["kubelet-client", "kubelet", "network", "csi"];
  const before = pairs.map((pair) => read(1, `${pair}.crt`));
  const day = 86_400_000;
  await completeWorkers(state, instant(now + 364 * day));
  expect(pairs.map((pair) => read(1, `${pair}.crt`))).toEqual(before);
  const later = instant(now + 366 * day);
  await completeWorkers(state, later);
  for (const pair of pairs) {
    expect(validTo(pair)).toBeGreaterThan(later + 300 * day);
    expect(new X509Certificate(read(1, `${pair}.crt`)).verify(new X509Certificate(ca).publicKey)).toBe(true);
  }
  // One that is damaged or expired is enough.
  for (const pair of pairs) {
    rmSync(file(2, `${pair}.crt`));
    await completeWorkers(state, later);
    expect(existsSync(file(2, `${pair}.crt`))).toBe(true);
  }
});
