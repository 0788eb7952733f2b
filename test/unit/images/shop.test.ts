// The check of the shop finds every way to lose or double an order.
import { expect, test } from "vitest";
import { type Books, lostOrDoubled, unbalanced } from "../../../images/shop/check.ts";
import { products } from "../../../images/shop/products.ts";

const items = { compass: 2 };
const total = 5000;
const order: Books["orders"][number] = { number: 1, cart: "a", items, total, state: "confirmed" };
const compassesSold = (count: number): Books["remaining"] =>
  products.map(({ id, count: first }) => ({ id, remaining: first - (id === "compass" ? count : 0) }));
const books: Books = {
  orders: [order],
  payments: [{ number: 1, amount: total }],
  reservations: [{ number: 1, items }],
  shipments: [{ number: 1 }],
  remaining: compassesSold(2),
};
const ledger = [{ cart: "a", number: 1, total }];

test("one order, once everywhere, is no fault", () => {
  expect([...lostOrDoubled(ledger, books), ...unbalanced(books)]).toEqual([]);
});

const twice = <T>(rows: readonly T[]): readonly T[] => [...rows, ...rows];
const rejected = { ...order, number: 2, cart: "b", state: "rejected" } as const;
const faults: readonly (readonly [name: string, changed: Partial<Books>, faults: readonly string[]])[] = [
  [
    "an order without a row",
    { orders: [] },
    ["order 1 is lost: it is unknown", "order 1 has 0 orders of its cart, not 1"],
  ],
  ["an order taken back", { orders: [{ ...order, state: "rejected" }] }, ["order 1 is lost: it is rejected"]],
  ["an order with another number", { orders: [{ ...order, number: 2 }] }, ["order 1 is lost: it is confirmed"]],
  ["items that were lost from the cart", { orders: [{ ...order, total: 2500 }] }, ["order 1 costs 2500, not 5000"]],
  ["a cart ordered twice", { orders: [order, { ...order, number: 2 }] }, ["order 1 has 2 orders of its cart, not 1"]],
  ["no payment", { payments: [] }, ["order 1 has 0 payments, not 1"]],
  ["two payments", { payments: twice(books.payments) }, ["order 1 has 2 payments, not 1"]],
  ["a wrong payment", { payments: [{ number: 1, amount: 1 }] }, ["order 1 was paid with 1, not 5000"]],
  ["no reservation", { reservations: [] }, ["order 1 has 0 reservations, not 1"]],
  ["no shipment", { shipments: [] }, ["order 1 has 0 shipments, not 1"]],
  ["two shipments", { shipments: twice(books.shipments) }, ["order 1 has 2 shipments, not 1"]],
];

test.each(faults)("acknowledged orders: %s", (_, changed, expected) => {
  expect(lostOrDoubled(ledger, { ...books, ...changed })).toEqual(expected);
});

const imbalances: readonly (readonly [name: string, changed: Partial<Books>, faults: readonly string[]])[] = [
  [
    "a payment for a rejected order",
    { orders: [order, rejected], payments: [...books.payments, { number: 2, amount: 1 }] },
    ["2 payments do not belong to the 1 confirmed orders"],
  ],
  [
    "a reservation that was not released",
    { orders: [order, rejected], reservations: [...books.reservations, { number: 2, items }] },
    ["2 reservations do not belong to the 1 confirmed orders"],
  ],
  [
    "a shipment of another order",
    { shipments: [{ number: 3 }] },
    ["1 shipments do not belong to the 1 confirmed orders"],
  ],
  ["stock taken twice", { remaining: compassesSold(4) }, ["999996 of compass remain, not 999998"]],
  ["stock not taken", { remaining: compassesSold(0) }, ["1000000 of compass remain, not 999998"]],
];

test.each(imbalances)("all orders: %s", (_, changed, expected) => {
  expect(unbalanced({ ...books, ...changed })).toEqual(expected);
});
