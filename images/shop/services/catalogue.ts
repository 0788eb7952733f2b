// The products and their prices, in SQLite.
import { ok, Refused } from "../http.ts";
import { rowsOf } from "../products.ts";
import type { Service } from "../service.ts";

export const catalogue: Service = {
  kind: "sqlite",
  migrations: [
    "CREATE TABLE products (id text PRIMARY KEY, name text NOT NULL, price integer NOT NULL)",
    `INSERT INTO products VALUES ${rowsOf("id", "name", "price")}`,
  ],
  routes: (store) => ({
    "GET /products": () => ok(store.query("SELECT * FROM products ORDER BY id")),
    "GET /products/:id": ({ params }) => {
      const [product] = store.query("SELECT * FROM products WHERE id = ?", params["id"]!);
      if (product === undefined) throw new Refused(404, `no product ${params["id"]}`);
      return ok(product);
    },
  }),
};
