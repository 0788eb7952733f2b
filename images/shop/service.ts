// What a service is: its store, the changes that made its schema, and its routes.
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Routes } from "./http.ts";
import { type Address, Postgres } from "./postgres.ts";
import { openRedis } from "./redis.ts";
import { Sqlite } from "./sqlite.ts";

interface Parts<Store> {
  routes(store: Store): Routes;
  /** What is done again and again in the background. */
  work?(store: Store): Promise<void>;
}
interface WithSchema {
  /** One statement each. Later versions of the program append to the list. */
  readonly migrations: readonly string[];
}
export type Service =
  | ({ readonly kind: "postgres" } & WithSchema & Parts<Postgres>)
  | ({ readonly kind: "sqlite" } & WithSchema & Parts<Sqlite>)
  | ({ readonly kind: "redis" } & Parts<Redis>);

export interface Settings extends Address {
  /** The folder of an embedded store. */
  readonly folder: string;
  /** What a request for a copy of an embedded store must bring. */
  readonly backupToken: string;
}

const versionTable = "CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY)";
const latest = "SELECT coalesce(max(number), 0) AS version FROM migrations";
interface Version {
  readonly version: number;
}

const migratePostgres = (store: Postgres, migrations: readonly string[]): Promise<number> =>
  store.transaction(async (query) => {
    // Two jobs at a time would both find the old version.
    await query("SELECT pg_advisory_xact_lock(1)");
    await query(versionTable);
    const [found] = await query<Version>(latest);
    for (const [i, statement] of migrations.entries()) {
      if (i < found!.version) continue;
      await query(statement);
      await query("INSERT INTO migrations VALUES ($1)", i + 1);
    }
    return migrations.length - found!.version;
  });

function migrateSqlite(store: Sqlite, migrations: readonly string[]): number {
  store.query("BEGIN IMMEDIATE");
  store.query(versionTable);
  const [found] = store.query<Version>(latest);
  for (const [i, statement] of migrations.entries()) {
    if (i < found!.version) continue;
    store.query(statement);
    store.query("INSERT INTO migrations VALUES (?)", i + 1);
  }
  store.query("COMMIT");
  return migrations.length - found!.version;
}

/** Brings the schema of a store to this program's version; returns the number of changes. */
export async function migrate(service: Service, settings: Settings): Promise<number> {
  if (service.kind === "postgres") return migratePostgres(new Postgres(settings), service.migrations);
  return service.kind === "sqlite" ? migrateSqlite(new Sqlite(settings.folder), service.migrations) : 0;
}

/** Waits until the job of migrations has run. */
async function untilMigrated(store: Postgres, migrations: readonly string[]): Promise<void> {
  for (;;) {
    const found = await store.query<Version>(latest).catch((error: Error) => console.error(error.message));
    if ((found?.[0]?.version ?? 0) >= migrations.length) return;
    await sleep(500);
  }
}

async function repeat(work: () => Promise<void>): Promise<never> {
  for (;;) {
    await work().catch((error: Error) => console.error(error.message));
    await sleep(1000);
  }
}

/** A service over its store. `ready` resolves when it may be sent requests. */
export interface Running {
  readonly routes: Routes;
  readonly ready: Promise<void>;
}

export function run(service: Service, settings: Settings): Running {
  if (service.kind === "redis") return { routes: service.routes(openRedis(settings)), ready: Promise.resolve() };
  if (service.kind === "postgres") {
    const store = new Postgres(settings);
    const ready = untilMigrated(store, service.migrations);
    const { work } = service;
    if (work !== undefined) void ready.then(() => repeat(() => work(store)));
    return { routes: service.routes(store), ready };
  }
  const store = new Sqlite(settings.folder);
  const backup: Routes = {
    "GET /backup": async ({ headers }) =>
      headers.authorization === `Bearer ${settings.backupToken}`
        ? { status: 200, body: await store.copy() }
        : { status: 401, body: { error: "a token is needed" } },
  };
  return { routes: { ...service.routes(store), ...backup }, ready: Promise.resolve() };
}
