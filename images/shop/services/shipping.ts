// The shipments, in SQLite: one row for each order that is to be sent.
import { ok } from "../http.ts";
import type { Service } from "../service.ts";

export const shipping: Service = {
  kind: "sqlite",
  migrations: ["CREATE TABLE shipments (number integer PRIMARY KEY, email text NOT NULL, items text NOT NULL)"],
  routes: (store) => ({
    "PUT /shipments/:number": ({ params, body }) => {
      const { email, items } = body as { readonly email: string; readonly items: object };
      const insert = "INSERT INTO shipments VALUES (?, ?, ?) ON CONFLICT (number) DO NOTHING";
      store.query(insert, Number(params["number"]), email, JSON.stringify(items));
      return ok({});
    },
    "GET /shipments": () => ok(store.query("SELECT number FROM shipments")),
  }),
};
