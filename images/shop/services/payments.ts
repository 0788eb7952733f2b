// The payments, in PostgreSQL: one row for each paid order.
import { ok, Refused } from "../http.ts";
import type { Service } from "../service.ts";

interface Payment {
  readonly email: string;
  readonly amount: number;
}

/** What a customer may spend at a time, in cents. */
const limit = 100_000;

export const payments: Service = {
  kind: "postgres",
  migrations: [
    "CREATE TABLE payments (number bigint NOT NULL, email text NOT NULL, amount bigint NOT NULL)",
    "CREATE UNIQUE INDEX one_payment_for_an_order ON payments (number)",
  ],
  routes: (store) => ({
    "PUT /payments/:number": async ({ params, body }) => {
      const { email, amount } = body as Payment;
      if (amount > limit) throw new Refused(402, `${amount} is more than ${email} can pay`);
      const insert = "INSERT INTO payments VALUES ($1, $2, $3) ON CONFLICT (number) DO NOTHING";
      await store.query(insert, params["number"]!, email, amount);
      return ok({ amount });
    },
    "GET /payments": async () => ok(await store.query("SELECT number, amount FROM payments")),
  }),
};
