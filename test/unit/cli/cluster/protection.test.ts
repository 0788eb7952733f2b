// What `up` writes for the protection of an API server: the key of Secrets, and the audit log.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { instant } from "../../../../api/meta.ts";
import { readEncryptionConfiguration } from "../../../../apiserver/storage/encryption/configuration.ts";
import { encryption } from "../../../../apiserver/storage/encryption/transformer.ts";
import type { ServerConfig } from "../../../../cli/cluster/config.ts";
import { controlPlaneNumber } from "../../../../cli/cluster/control-planes.ts";
import { writeClusterFiles } from "../../../../cli/cluster/node-files.ts";
import type { ClusterState } from "../../../../cli/cluster/state.ts";
import { clusterDir } from "../../../../cli/paths.ts";

const subnet = "172.30.4.0/24";
const plane = (n: number) => controlPlaneNumber("c", subnet, n);
const state: ClusterState = {
  ...{ name: "c", complete: false, store: "etcd", packing: "MostAllocated", subnet, apiPort: 6443, workers: [] },
  ...{ privileges: "fallback", controlPlane: plane(1), furtherControlPlanes: [plane(2), plane(3)] },
};

const homes: string[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
  for (const home of homes.splice(0)) rmSync(home, { recursive: true });
});
/** Writes the files of a cluster into a home of its own; returns the path of a file of the n-th control plane. */
async function written(changes: Partial<ClusterState>): Promise<(n: number, file: string) => string> {
  const home = mkdtempSync(join(tmpdir(), "orrery-home-"));
  homes.push(home);
  vi.stubEnv("HOME", home);
  mkdirSync(clusterDir("c"), { recursive: true });
  await writeClusterFiles({ ...state, ...changes }, instant(Date.UTC(2026, 0, 1)));
  return (n, file) => clusterDir("c", "nodes", plane(n).name, file);
}
const configIn = (path: string): ServerConfig => JSON.parse(readFileSync(path, "utf8"));

test("all control planes of a cluster encrypt Secrets by one key, which only its owner can read", async () => {
  const file = await written({ encryptsSecrets: true });
  const texts = [1, 2, 3].map((n) => readFileSync(file(n, "encryption.yaml"), "utf8"));
  expect(new Set(texts).size).toBe(1);
  expect(statSync(file(1, "encryption.yaml")).mode & 0o777).toBe(0o600);
  expect(configIn(file(2, "server.json")).encryption).toEqual({
    path: "/etc/orrery/encryption.yaml",
    isReloaded: true,
  });
  const { seal } = encryption(readEncryptionConfiguration(texts[0]!), () => {});
  const sealed = (key: string): string => Buffer.from(seal(key, Buffer.from("value"))).toString("latin1");
  expect(sealed("//secrets/n/s")).toMatch(/^k8s:enc:aesgcm:v1:key1:/);
  expect(sealed("//configmaps/n/c")).toBe("value");
  const other = await written({ encryptsSecrets: true });
  expect(readFileSync(other(1, "encryption.yaml"), "utf8")).not.toBe(texts[0]);
});

test("the server of a cluster of before encrypts and audits nothing", async () => {
  const file = await written({});
  const config = configIn(file(1, "server.json"));
  expect(config).not.toHaveProperty("encryption");
  expect(config).not.toHaveProperty("audit");
});

test("an audit policy is recorded by all control planes, outside of the folder whose logs are cut", async () => {
  const auditPolicy = { rules: [{ level: "Metadata" }] } as const;
  const file = await written({ auditPolicy });
  const { audit } = configIn(file(3, "server.json"));
  expect(audit).toEqual({
    policy: auditPolicy,
    log: { path: "/var/log/audit/audit.log", maxSizeMiB: 100, maxBackups: 10, maxAgeDays: 0 },
  });
});
