// PostgreSQL, reached over the connections of a pool.
import { Pool, type PoolClient, types } from "pg";

export interface Address {
  readonly host: string;
  readonly password: string;
}
type Row = Readonly<Record<string, unknown>>;
/** Runs one statement with parameters `$1`, `$2`, ..., and returns its rows. */
export type Query = <T = Row>(text: string, ...values: readonly (string | number)[]) => Promise<readonly T[]>;

// Otherwise text, since a number is exact to 53 bits only, which suffices for the shop.
types.setTypeParser(types.builtins.INT8, Number);

/** In milliseconds. A connection without a response is closed, by which the database rolls back, too. */
const rollback = { text: "ROLLBACK", query_timeout: 1000 };

const queryOn =
  (client: Pool | PoolClient): Query =>
  async <T>(text: string, ...values: readonly (string | number)[]) =>
    (await client.query(text, [...values])).rows as readonly T[];

/** A database. Failed statements are not repeated; the next one opens a connection when none is left. */
export class Postgres {
  readonly #pool: Pool;
  readonly query: Query;

  constructor({ host, password }: Address) {
    const times = { connectionTimeoutMillis: 5000, query_timeout: 5000 };
    this.#pool = new Pool({ host, password, user: "shop", database: "postgres", max: 4, ...times });
    this.query = queryOn(this.#pool);
    // Statements are rejected with the error of their connection. Its event would end a process that does not listen for it.
    this.#pool.on("error", () => {});
    this.#pool.on("connect", (client) => client.on("error", () => {}));
  }

  /** Runs the statements of `work` in a transaction, which is rolled back when it throws. */
  async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    const query = queryOn(client);
    try {
      await query("BEGIN");
      const result = await work(query);
      await query("COMMIT");
      client.release();
      return result;
    } catch (error) {
      await client.query(rollback).then(
        () => client.release(),
        (failure: Error) => client.release(failure),
      );
      throw error;
    }
  }
}
