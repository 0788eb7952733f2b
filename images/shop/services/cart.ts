// The carts, in Redis: a hash each, from product to count.
import { ok } from "../http.ts";
import type { Items } from "../products.ts";
import type { Service } from "../service.ts";

const day = 24 * 60 * 60;

export const cart: Service = {
  kind: "redis",
  routes: (store) => ({
    "PUT /carts/:cart/items/:product": async ({ params, body }) => {
      const { count } = body as { readonly count: number };
      await store.hset(`cart:${params["cart"]}`, params["product"]!, count);
      await store.expire(`cart:${params["cart"]}`, day);
      return ok({ count });
    },
    "GET /carts/:cart": async ({ params }) => {
      const counts = Object.entries(await store.hgetall(`cart:${params["cart"]}`));
      const items: Items = Object.fromEntries(counts.map(([product, count]) => [product, Number(count)]));
      return ok(items);
    },
    "DELETE /carts/:cart": async ({ params }) => {
      await store.del(`cart:${params["cart"]}`);
      return ok({});
    },
  }),
};
