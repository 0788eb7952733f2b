// What customers reach: it knows who they are by their sessions, which it keeps in Redis, and passes on what they do.
import type { Redis } from "ioredis";
import { call, demand, ok, Refused, type Request } from "../http.ts";
import type { Product } from "../products.ts";
import type { Service } from "../service.ts";

const day = 24 * 60 * 60;

async function emailOf(store: Redis, { headers }: Request): Promise<string> {
  const email = await store.get(`session:${headers["session"]}`);
  if (email === null) throw new Refused(401, "no such session");
  return email;
}

async function page(): Promise<string> {
  const [offered, stock] = await Promise.all([
    demand<readonly Product[]>("GET", "http://catalogue/products"),
    demand<readonly { readonly id: string; readonly remaining: number }[]>("GET", "http://stock/products"),
  ]);
  const remaining = new Map(stock.map((product) => [product.id, product.remaining]));
  const rows = offered.map(
    ({ id, name, price }) => `<tr><td>${name}<td>${(price / 100).toFixed(2)}<td>${remaining.get(id)} left`,
  );
  return `<!doctype html><title>Shop</title><h1>Shop</h1><table>\n${rows.join("\n")}\n</table>\n`;
}

export const web: Service = {
  kind: "redis",
  routes: (store) => ({
    "GET /": async () => ok(await page()),
    "PUT /sessions/:session": async ({ params, body }) => {
      const { email, name } = body as { readonly email: string; readonly name: string };
      await demand("PUT", `http://customers/customers/${email}`, { body: { name } });
      await store.set(`session:${params["session"]}`, email, "EX", day);
      return ok({ email });
    },
    "PUT /carts/:cart/items/:product": async (request) => {
      await emailOf(store, request);
      const { cart, product } = request.params;
      return call("PUT", `http://cart/carts/${cart}/items/${product}`, { body: request.body });
    },
    "PUT /carts/:cart/order": async (request) => {
      const body = { email: await emailOf(store, request) };
      return call("PUT", `http://orders/orders/${request.params["cart"]}`, { body, attempts: 1, timeoutMs: 10_000 });
    },
  }),
};
