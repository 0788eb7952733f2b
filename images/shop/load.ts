// Customers: they fill carts and order them, repeat what failed until it is acknowledged or refused, and write each
// acknowledged order into a ledger, which the check reads.
import { randomInt, randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { call, type CallOptions, type Reply } from "./http.ts";
import { type Items, products } from "./products.ts";

/** An acknowledged order. */
export interface Entry {
  readonly cart: string;
  readonly number: number;
  /** What the load put into the cart, in cents. */
  readonly total: number;
}

/** The acknowledged orders of a ledger. A line that was not written to its end is none. */
export const readLedger = (file: string): readonly Entry[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as Entry);

export interface LoadSettings {
  /** The address of the shop. */
  readonly url: string;
  readonly ledger: string;
  /** Orders a second, at most. */
  readonly rate: number;
  readonly customers: number;
}

/** What happened since the last line that was printed. */
interface Counts {
  acknowledged: number;
  refused: number;
  failed: number;
  slowestMs: number;
}
const noCounts = (): Counts => ({ acknowledged: 0, refused: 0, failed: 0, slowestMs: 0 });

/** One to three products. Few customers choose one of the last two, whose orders are often refused. */
const pick = (): Items => {
  const choice = randomInt(10) === 0 ? products : products.slice(0, -2);
  const kinds = randomInt(1, 4);
  return Object.fromEntries(
    Array.from({ length: kinds }, () => [choice[randomInt(choice.length)]!.id, randomInt(1, 3)]),
  );
};
const priceOf = (items: Items): number =>
  Object.entries(items).reduce((sum, [id, count]) => sum + count * products.find((p) => p.id === id)!.price, 0);

export async function load(settings: LoadSettings, signal: AbortSignal): Promise<void> {
  const ledger = openSync(settings.ledger, "a");
  let counts = noCounts();
  let total = 0;
  const until = (method: string, path: string, options: CallOptions): Promise<Reply> =>
    call(method, `${settings.url}${path}`, {
      ...{ ...options, attempts: Number.POSITIVE_INFINITY, timeoutMs: 12_000 },
      onFailure: (error) => {
        counts.failed++;
        // An order that is under way when the load ends was not acknowledged.
        if (signal.aborted) throw error;
      },
    });

  const order = async (session: string): Promise<void> => {
    const [cart, items, began] = [randomUUID(), pick(), performance.now()];
    const headers = { session };
    for (const [id, count] of Object.entries(items))
      await until("PUT", `/carts/${cart}/items/${id}`, { headers, body: { count } });
    const { status, body } = await until("PUT", `/carts/${cart}/order`, { headers, body: {} });
    counts.slowestMs = Math.max(counts.slowestMs, performance.now() - began);
    if (status === 409) {
      counts.refused++;
      return;
    }
    if (status !== 201) throw new Error(`cart ${cart}: unexpected status ${status}: ${JSON.stringify(body)}`);
    const entry: Entry = { cart, number: (body as Entry).number, total: priceOf(items) };
    writeSync(ledger, `\n${JSON.stringify(entry)}`);
    fdatasyncSync(ledger);
    counts.acknowledged++;
    total++;
  };

  const customer = async (i: number): Promise<void> => {
    const session = randomUUID();
    const email = `customer-${i}@shop.example`;
    await until("PUT", `/sessions/${session}`, { body: { email, name: `Customer ${i}` } });
    const pauseMs = (1000 * settings.customers) / settings.rate;
    while (!signal.aborted) {
      const next = performance.now() + pauseMs;
      await order(session);
      await sleep(Math.max(0, next - performance.now()));
    }
  };

  const report = setInterval(() => {
    const { acknowledged, refused, failed, slowestMs } = counts;
    counts = noCounts();
    const attempts = `${refused} refused, ${failed} attempts failed, the slowest took ${Math.round(slowestMs)} ms`;
    console.log(`${acknowledged} orders acknowledged (${total} in all), ${attempts}`);
  }, 1000);
  try {
    await Promise.all(Array.from({ length: settings.customers }, (_, i) => customer(i)));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    clearInterval(report);
    closeSync(ledger);
  }
}
