// SQLite: a file on the service's own volume, written through to the disk at every commit.
import { mkdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

export const fileIn = (folder: string): string => join(folder, "shop.sqlite");

export class Sqlite {
  readonly #folder: string;
  readonly #database: DatabaseSync;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#folder = folder;
    this.#database = new DatabaseSync(fileIn(folder));
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 3000");
  }

  query<T>(statement: string, ...values: readonly SQLInputValue[]): readonly T[] {
    return this.#database.prepare(statement).all(...values) as unknown as readonly T[];
  }

  /** A consistent copy of the database, taken while it is in use. */
  async copy(): Promise<Uint8Array> {
    const file = join(this.#folder, `copy-${process.hrtime.bigint()}`);
    try {
      this.query("VACUUM INTO ?", file);
      return await readFile(file);
    } finally {
      await rm(file, { force: true });
    }
  }
}
