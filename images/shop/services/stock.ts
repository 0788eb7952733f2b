// How many of each product are left, in PostgreSQL. An order's reservation is one row, taken at most once.
import { ok, Refused } from "../http.ts";
import type { Query } from "../postgres.ts";
import { type Items, rowsOf } from "../products.ts";
import type { Service } from "../service.ts";

interface Reservation {
  readonly number: number;
  readonly items: Items;
  readonly released: boolean;
}

/** Adds to what is left of each product, in the same order everywhere, so that no two transactions wait for each other. */
async function change(query: Query, items: Items, sign: 1 | -1): Promise<void> {
  for (const [product, count] of Object.entries(items).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const update = "UPDATE products SET remaining = remaining + $1 WHERE id = $2 AND remaining + $1 >= 0 RETURNING id";
    if ((await query(update, sign * count, product)).length === 0) throw new Refused(409, `not enough of ${product}`);
  }
}

const reserve = async (query: Query, number: string, items: Items): Promise<void> => {
  const insert = "INSERT INTO reservations VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING number";
  if ((await query(insert, number, JSON.stringify(items))).length > 0) return change(query, items, -1);
  const [found] = await query<Reservation>("SELECT * FROM reservations WHERE number = $1", number);
  if (found!.released) throw new Refused(409, `order ${number} was rejected`);
};

/** Gives back what was reserved. The row stays, so that a late repetition of the reservation is refused. */
const release = async (query: Query, number: string): Promise<void> => {
  const insert = "INSERT INTO reservations VALUES ($1, '{}', true) ON CONFLICT DO NOTHING";
  await query(insert, number);
  const update = "UPDATE reservations SET released = true WHERE number = $1 AND NOT released RETURNING *";
  const [found] = await query<Reservation>(update, number);
  if (found !== undefined) await change(query, found.items, 1);
};

export const stock: Service = {
  kind: "postgres",
  migrations: [
    "CREATE TABLE products (id text PRIMARY KEY, remaining bigint NOT NULL CHECK (remaining >= 0))",
    `INSERT INTO products SELECT id, remaining::bigint FROM (VALUES ${rowsOf("id", "count")}) AS first (id, remaining)`,
    "CREATE TABLE reservations (number bigint PRIMARY KEY, items jsonb NOT NULL, released boolean NOT NULL DEFAULT false)",
  ],
  routes: (store) => ({
    "PUT /reservations/:number": async ({ params, body }) => {
      await store.transaction((query) => reserve(query, params["number"]!, body as Items));
      return ok({});
    },
    "DELETE /reservations/:number": async ({ params }) => {
      await store.transaction((query) => release(query, params["number"]!));
      return ok({});
    },
    "GET /products": async () => ok(await store.query("SELECT * FROM products ORDER BY id")),
    "GET /reservations": async () => ok(await store.query("SELECT number, items FROM reservations WHERE NOT released")),
  }),
};
