// The in-process client, with memory storage and SQLite storage.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrap } from "../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { sqliteStorage } from "../../apiserver/storage/sqlite.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { type OpenClient, clientSuite } from "./client.ts";

const world = realWorld(() => {});
const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };

async function over(storage: Storage, close: () => void): Promise<OpenClient> {
  const client = inProcessClient(clusterRegistry(storage, world, ranges));
  await bootstrap(client, { address: "10.0.0.1", port: 6443, serviceCidr: ranges.serviceCidr });
  return { client, compact: async () => storage.compact(await storage.revision()), close: async () => close() };
}

clientSuite("in-process, memory", () => over(memoryStorage(), () => {}));
clientSuite("in-process, sqlite", () => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-client-"));
  const stop = new AbortController();
  return over(sqliteStorage({ path: join(folder, "log.db") }, stop.signal), () => {
    stop.abort();
    rmSync(folder, { recursive: true });
  });
});
