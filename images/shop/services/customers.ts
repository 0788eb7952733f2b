// The customers, in SQLite. A customer is known by the address of their mail.
import { ok, Refused } from "../http.ts";
import type { Service } from "../service.ts";

export const customers: Service = {
  kind: "sqlite",
  migrations: ["CREATE TABLE customers (email text PRIMARY KEY, name text NOT NULL)"],
  routes: (store) => ({
    "PUT /customers/:email": ({ params, body }) => {
      const { name } = body as { readonly name: string };
      const insert = "INSERT INTO customers VALUES (?, ?) ON CONFLICT (email) DO UPDATE SET name = excluded.name";
      store.query(insert, params["email"]!, name);
      return ok({ email: params["email"], name });
    },
    "GET /customers/:email": ({ params }) => {
      const [customer] = store.query("SELECT * FROM customers WHERE email = ?", params["email"]!);
      if (customer === undefined) throw new Refused(404, `no customer ${params["email"]}`);
      return ok(customer);
    },
  }),
};
