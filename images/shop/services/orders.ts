// The orders, in PostgreSQL. An order goes through its states one by one. Each step is done in another service, and is safe
// to repeat there; only then is the new state written. An order that stops half way, because a service or a store failed,
// is taken up by the next request for it, or by the background work. So the table is the list of what is left to do.
import { call, demand, ok, Refused } from "../http.ts";
import type { Postgres } from "../postgres.ts";
import type { Items } from "../products.ts";
import type { Service } from "../service.ts";

type State = "new" | "reserved" | "paid" | "confirmed" | "rejected";

/** An order. `cart` is the name of its cart, which is ordered once at most. */
export interface Order {
  readonly number: number;
  readonly cart: string;
  readonly email: string;
  readonly items: Items;
  readonly total: number;
  readonly state: State;
}

async function find(store: Postgres, cart: string): Promise<Order | undefined> {
  const [order] = await store.query<Order>("SELECT * FROM orders WHERE cart = $1", cart);
  return order;
}

/** The order of a cart, which is written when there is none yet. */
async function place(store: Postgres, cart: string, email: string): Promise<Order> {
  const known = await find(store, cart);
  if (known !== undefined) return known;
  const items = await demand<Items>("GET", `http://cart/carts/${cart}`);
  if (Object.keys(items).length === 0) throw new Refused(400, `cart ${cart} is empty`);
  await demand("GET", `http://customers/customers/${email}`);
  let total = 0;
  for (const [product, count] of Object.entries(items))
    total += count * (await demand<{ readonly price: number }>("GET", `http://catalogue/products/${product}`)).price;
  const insert = "INSERT INTO orders (cart, email, items, total) VALUES ($1, $2, $3, $4) ON CONFLICT (cart) DO NOTHING";
  await store.query(insert, cart, email, JSON.stringify(items), total);
  return (await find(store, cart))!;
}

type Step = (order: Order) => Promise<State>;

const reject: Step = async ({ number }) => {
  await demand("DELETE", `http://stock/reservations/${number}`);
  return "rejected";
};

/** The state after a step, or "rejected" when the other service refused. */
const stepTo =
  (state: State, request: (order: Order) => readonly [url: string, body: unknown]): Step =>
  async (order) => {
    const [url, body] = request(order);
    const { status } = await call("PUT", url, { body });
    return status < 400 ? state : reject(order);
  };

const steps: Partial<Record<State, Step>> = {
  new: stepTo("reserved", ({ number, items }) => [`http://stock/reservations/${number}`, items]),
  reserved: stepTo("paid", ({ number, email, total }) => [
    `http://payments/payments/${number}`,
    { email, amount: total },
  ]),
  paid: stepTo("confirmed", ({ number, email, items }) => [`http://shipping/shipments/${number}`, { email, items }]),
};

/** Takes the steps that are left. */
async function advance(store: Postgres, order: Order): Promise<Order> {
  const step = steps[order.state];
  if (step === undefined) return order;
  const update = "UPDATE orders SET state = $1 WHERE number = $2 AND state = $3";
  await store.query(update, await step(order), order.number, order.state);
  return advance(store, (await find(store, order.cart))!);
}

export const orders: Service = {
  kind: "postgres",
  migrations: [
    `CREATE TABLE orders (
       number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cart text NOT NULL UNIQUE, email text NOT NULL,
       items jsonb NOT NULL, total bigint NOT NULL, state text NOT NULL DEFAULT 'new')`,
    "ALTER TABLE orders ADD COLUMN placed timestamptz NOT NULL DEFAULT now()",
    "CREATE INDEX unfinished ON orders (placed) WHERE state NOT IN ('confirmed', 'rejected')",
  ],
  routes: (store) => ({
    "PUT /orders/:cart": async ({ params, body }) => {
      const { email } = body as { readonly email: string };
      const order = await advance(store, await place(store, params["cart"]!, email));
      if (order.state === "rejected") throw new Refused(409, `order ${order.number} was rejected`);
      // The order has its own copy of the items. A cart that stays is forgotten after a day.
      await call("DELETE", `http://cart/carts/${order.cart}`, { attempts: 1 }).catch(() => {});
      return { status: 201, body: order };
    },
    "GET /orders": async () => ok(await store.query("SELECT number, cart, items, total, state FROM orders")),
  }),
  async work(store) {
    const unfinished = "SELECT * FROM orders WHERE state NOT IN ('confirmed', 'rejected')";
    const overdue = await store.query<Order>(`${unfinished} AND placed < now() - interval '5 s' LIMIT 20`);
    for (const order of overdue) await advance(store, order);
  },
};
