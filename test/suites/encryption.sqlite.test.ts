// Encryption at rest, over SQLite: the contract of the log, what the file holds, and the rotation of keys.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { namespaces } from "../../api/core/namespaces.ts";
import { secrets } from "../../api/core/secrets.ts";
import { key } from "../../api/meta.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { encryptedStorage } from "../../apiserver/storage/encryption/encrypted.ts";
import { fileEncryption } from "../../apiserver/storage/encryption/file.ts";
import { sqliteStorage } from "../../apiserver/storage/sqlite.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import { onAbort } from "../../machinery/abort.ts";
import { kindRegistry } from "../../machinery/kind-registry.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { storageSuite } from "./storage.ts";

const folders: string[] = [];
const opened: AbortController[] = [];
afterEach(() => {
  for (const controller of opened.splice(0)) controller.abort();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
const newFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-encryption-"));
  folders.push(folder);
  return folder;
};

/** A configuration of Secrets, or other resources, by keys of these names. */
const configuration = (names: readonly string[], resources = ["secrets"]): string =>
  JSON.stringify({
    ...{ apiVersion: "apiserver.config.k8s.io/v1", kind: "EncryptionConfiguration" },
    resources: [
      {
        resources,
        providers: [
          ...(names.length === 0
            ? []
            : [{ aesgcm: { keys: names.map((name) => ({ name, secret: secretOf(name) })) } }]),
          { identity: {} },
        ],
      },
    ],
  });
const secretOf = (name: string): string => Buffer.alloc(32, name).toString("base64");

/** A store in a folder, encrypted by the folder's configuration, which is written if keys are named. */
function openIn(folder: string, names?: readonly string[], signal?: AbortSignal): { storage: Storage; close(): void } {
  const controller = new AbortController();
  opened.push(controller);
  if (signal) onAbort(signal, () => controller.abort());
  const path = join(folder, "encryption.yaml");
  if (names) writeFileSync(path, configuration(names));
  const transformer = fileEncryption(
    { path, isReloaded: true },
    realWorld(() => {}),
    controller.signal,
  );
  const storage = sqliteStorage({ path: join(folder, "log.db"), transformer }, controller.signal);
  return { storage: encryptedStorage(storage, transformer), close: () => controller.abort() };
}

storageSuite("encrypted sqlite", async (signal) => {
  const folder = newFolder();
  writeFileSync(join(folder, "encryption.yaml"), configuration(["a"], ["*.*"]));
  return openIn(folder, undefined, signal).storage;
});

const clientOf = (storage: Storage) =>
  inProcessClient(
    clusterRegistry(
      storage,
      realWorld(() => {}),
      { kinds: kindRegistry(builtinKinds), serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } },
    ),
  );
const at = key("team", "s");
const password = "correct horse battery staple";
async function withSecret(storage: Storage) {
  const client = clientOf(storage);
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "team" }, spec: {} });
  const data = { password: Buffer.from(password).toString("base64") };
  await client.create(secrets, { kind: "Secret", metadata: { name: "s", namespace: "team" }, data });
  return client;
}
/** All bytes of the store: the file, and the log of what was written last. */
const bytesIn = (folder: string): string =>
  ["log.db", "log.db-wal"].map((name) => readFileSync(join(folder, name), "latin1")).join("");

test("the store holds no Secret in plain text, and other objects as they are", async () => {
  const [plain, encrypted] = [newFolder(), newFolder()];
  await withSecret(openIn(plain, []).storage);
  await withSecret(openIn(encrypted, ["a"]).storage);
  const base64 = Buffer.from(password).toString("base64");
  expect(bytesIn(plain)).toContain(base64);
  expect(bytesIn(encrypted)).not.toContain(base64);
  expect(bytesIn(encrypted)).toContain("k8s:enc:aesgcm:v1:a:");
  expect(bytesIn(encrypted)).toContain('"name":"team"');
});

test("keys are rotated without a stop: an update that changes nothing is written with the new key", async () => {
  const folder = newFolder();
  const { storage, close } = openIn(folder, []);
  const client = await withSecret(storage);
  const before = await client.get(secrets, at);
  // Nothing is stale, so nothing is written.
  expect((await client.update(secrets, before)).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
  writeFileSync(join(folder, "encryption.yaml"), configuration(["a"]));
  const rewritten = async () => (await client.update(secrets, await client.get(secrets, at))).metadata.resourceVersion;
  await expect.poll(rewritten, { timeout: 20_000 }).not.toBe(before.metadata.resourceVersion);
  const after = await client.get(secrets, at);
  expect(await rewritten()).toBe(after.metadata.resourceVersion);
  expect(after.data).toEqual(before.data);
  close();
  // With the new key alone, the Secret is read; without it, it is refused, and so is a list of Secrets, but nothing else.
  const strict = openIn(folder, ["a"]);
  expect((await clientOf(strict.storage).get(secrets, at)).data).toEqual(before.data);
  strict.close();
  const other = clientOf(openIn(folder, ["b"]).storage);
  await expect(other.get(secrets, at)).rejects.toThrow('unable to transform key "//secrets/team/s": no matching key');
  await expect(other.list(secrets)).rejects.toThrow("add the key to the providers of its resource");
  await expect(other.get(namespaces, key(undefined, "team"))).resolves.toMatchObject({ metadata: { name: "team" } });
});

test("a configuration that cannot be used later changes nothing; one that cannot be used at first is refused", async () => {
  const folder = newFolder();
  const { storage } = openIn(folder, ["a"]);
  const client = await withSecret(storage);
  writeFileSync(join(folder, "encryption.yaml"), "nonsense: true");
  expect((await client.get(secrets, at)).metadata.name).toBe("s");
  expect(() => openIn(folder)).toThrow(/the encryption configuration .*encryption.yaml cannot be used: Object 'Kind'/);
});
