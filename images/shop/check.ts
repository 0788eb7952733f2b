// Compares the ledger of the load with what the services have: no acknowledged order may be lost, none may be doubled.
import { setTimeout as sleep } from "node:timers/promises";
import { demand } from "./http.ts";
import type { Entry } from "./load.ts";
import { type Items, products } from "./products.ts";
import type { Order } from "./services/orders.ts";

/** What the services have. */
export interface Books {
  readonly orders: readonly Pick<Order, "number" | "cart" | "items" | "total" | "state">[];
  readonly payments: readonly { readonly number: number; readonly amount: number }[];
  readonly reservations: readonly { readonly number: number; readonly items: Items }[];
  readonly shipments: readonly { readonly number: number }[];
  readonly remaining: readonly { readonly id: string; readonly remaining: number }[];
}

const isUnfinished = ({ state }: Books["orders"][number]): boolean => state !== "confirmed" && state !== "rejected";

/** The rows of one order. */
const by = <T extends { readonly number: number }>(rows: readonly T[]): ((number: number) => readonly T[]) => {
  const groups = Map.groupBy(rows, (row) => row.number);
  return (number) => groups.get(number) ?? [];
};

/** What is wrong about acknowledged orders. Holds at any time. */
export function lostOrDoubled(ledger: readonly Entry[], books: Books): readonly string[] {
  const orders = Map.groupBy(books.orders, (order) => order.cart);
  const [payments, reservations, shipments] = [by(books.payments), by(books.reservations), by(books.shipments)];
  return ledger.flatMap(({ cart, number, total }) => {
    const found = orders.get(cart) ?? [];
    const kept = found.find((order) => order.number === number && order.state === "confirmed");
    const parts = {
      "orders of its cart": found.length,
      payments: payments(number).length,
      reservations: reservations(number).length,
      shipments: shipments(number).length,
    };
    return [
      ...(kept === undefined ? [`order ${number} is lost: it is ${found[0]?.state ?? "unknown"}`] : []),
      ...(kept !== undefined && kept.total !== total ? [`order ${number} costs ${kept.total}, not ${total}`] : []),
      ...payments(number).flatMap(({ amount }) =>
        amount === total ? [] : [`order ${number} was paid with ${amount}, not ${total}`],
      ),
      ...Object.entries(parts).flatMap(([what, count]) =>
        count === 1 ? [] : [`order ${number} has ${count} ${what}, not 1`],
      ),
    ];
  });
}

/** What does not add up between the services. Holds when no order is under way. */
export function unbalanced({ orders, payments, reservations, shipments, remaining }: Books): readonly string[] {
  const confirmed = orders.filter(({ state }) => state === "confirmed");
  const numbers = confirmed.map(({ number }) => number).toSorted((a, b) => a - b);
  const compare = (what: string, rows: readonly { readonly number: number }[]): readonly string[] => {
    const found = rows.map(({ number }) => number).toSorted((a, b) => a - b);
    const isSame = found.length === numbers.length && found.every((number, i) => number === numbers[i]);
    return isSame ? [] : [`${found.length} ${what} do not belong to the ${numbers.length} confirmed orders`];
  };
  const taken = new Map<string, number>();
  for (const { items } of confirmed)
    for (const [id, count] of Object.entries(items)) taken.set(id, (taken.get(id) ?? 0) + count);
  return [
    ...compare("payments", payments),
    ...compare("reservations", reservations),
    ...compare("shipments", shipments),
    ...products.flatMap(({ id, count }) => {
      const [expected, found] = [count - (taken.get(id) ?? 0), remaining.find((row) => row.id === id)?.remaining];
      return found === expected ? [] : [`${found} of ${id} remain, not ${expected}`];
    }),
  ];
}

/** The books, and whether an order was under way while they were read. */
async function readBooks(): Promise<readonly [books: Books, isQuiet: boolean]> {
  const get = <T>(url: string): Promise<T> => demand("GET", url, { attempts: 60 });
  // What follows from an order is read after it.
  const orders = await get<Books["orders"]>("http://orders/orders");
  const [payments, reservations, shipments, remaining] = await Promise.all([
    get<Books["payments"]>("http://payments/payments"),
    get<Books["reservations"]>("http://stock/reservations"),
    get<Books["shipments"]>("http://shipping/shipments"),
    get<Books["remaining"]>("http://stock/products"),
  ]);
  const later = await get<Books["orders"]>("http://orders/orders");
  const isQuiet = later.length === orders.length && !orders.some(isUnfinished);
  return [{ orders, payments, reservations, shipments, remaining }, isQuiet];
}

/** Prints what was compared and every fault; resolves to the number of faults. */
export async function check(readEntries: () => readonly Entry[]): Promise<number> {
  const ledger = readEntries();
  let [books, isQuiet] = await readBooks();
  // Orders of a load that has ended are finished by the background work of the service.
  for (let tries = 0; tries < 20 && !isQuiet; tries++) {
    await sleep(1000);
    [books, isQuiet] = await readBooks();
  }
  const faults = [...(isQuiet ? unbalanced(books) : []), ...lostOrDoubled(ledger, books)];
  for (const fault of faults.slice(0, 50)) console.log(fault);
  const balance = isQuiet ? "books compared" : "books not compared, because orders are under way";
  const confirmed = books.orders.filter(({ state }) => state === "confirmed").length;
  console.log(`${ledger.length} acknowledged orders, ${confirmed} confirmed, ${faults.length} faults; ${balance}`);
  return faults.length;
}
