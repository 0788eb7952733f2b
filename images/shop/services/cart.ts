// The carts, in Redis: a hash each, from product to count.
import { ok } from "../http.ts";
import type { Items } from "../products.ts";
import type { Service } from "../service.ts";

const day = String(24 * 60 * 60);

export const cart: Service = {
  kind: "redis",
  routes: (store) => ({
    "PUT /carts/:cart/items/:product": async ({ params, body }) => {
      const { count } = body as { readonly count: number };
      await store.command("HSET", `cart:${params["cart"]}`, params["product"]!, String(count));
      await store.command("EXPIRE", `cart:${params["cart"]}`, day);
      return ok({ count });
    },
    "GET /carts/:cart": async ({ params }) => {
      const pairs = await store.command<readonly string[]>("HGETALL", `cart:${params["cart"]}`);
      const items: Items = Object.fromEntries(
        pairs.flatMap((product, i) => (i % 2 === 0 ? [[product, Number(pairs[i + 1])]] : [])),
      );
      return ok(items);
    },
    "DELETE /carts/:cart": async ({ params }) => {
      await store.command("DEL", `cart:${params["cart"]}`);
      return ok({});
    },
  }),
};
