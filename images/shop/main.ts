// The shop: one program for all of its services, for the load, and for the check.
import { writeFileSync, renameSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { check } from "./check.ts";
import { ok, serve } from "./http.ts";
import { load, readLedger } from "./load.ts";
import { migrate, run, type Service, type Settings } from "./service.ts";
import { cart } from "./services/cart.ts";
import { catalogue } from "./services/catalogue.ts";
import { customers } from "./services/customers.ts";
import { orders } from "./services/orders.ts";
import { payments } from "./services/payments.ts";
import { shipping } from "./services/shipping.ts";
import { stock } from "./services/stock.ts";
import { web } from "./services/web.ts";

const services: Readonly<Record<string, Service>> = {
  ...{ web, catalogue, cart, orders, payments, stock, customers, shipping },
};
const { env } = process;
const settings: Settings = {
  host: env["STORE_HOST"] ?? "",
  password: env["STORE_PASSWORD"] ?? "",
  folder: env["DATA_DIR"] ?? "/data",
  backupToken: env["BACKUP_TOKEN"] ?? "",
};
const ledger = env["LEDGER"] ?? "/ledger/orders";

function serviceNamed(name: string | undefined): Service {
  const service = services[name ?? ""];
  if (service === undefined) throw new Error(`no service ${name}: choose of ${Object.keys(services).join(", ")}`);
  return service;
}

/** Resolves when the pod is to end. As process 1 of a container, a program that does not listen for it is not ended. */
const ended = new Promise<void>((resolve) => process.once("SIGTERM", resolve));

async function serveService(name: string | undefined): Promise<void> {
  const { routes, ready } = run(serviceNamed(name), settings);
  let isReady = false;
  const health = {
    "GET /livez": () => ok({}),
    "GET /readyz": () => ({ status: isReady ? 200 : 503, body: { isReady } }),
  };
  const server = serve({ ...routes, ...health }, Number(env["PORT"] ?? 8080));
  void ready.then(() => {
    isReady = true;
    console.log(`${name} is ready`);
  });
  await ended;
  // Requests that are under way are answered.
  server.close(() => process.exit(0));
  server.closeIdleConnections();
}

async function copyOf(name: string, file: string): Promise<void> {
  const headers = { authorization: `Bearer ${settings.backupToken}` };
  const response = await fetch(`http://${name}/backup`, { headers });
  if (!response.ok) throw new Error(`${name}: ${await response.text()}`);
  writeFileSync(`${file}.part`, await response.bytes(), { flush: true });
  renameSync(`${file}.part`, file);
}

const commands: Readonly<Record<string, (...args: readonly string[]) => Promise<void>>> = {
  serve: serveService,
  async migrate(name) {
    const service = serviceNamed(name);
    // A store that is not there yet will be: waiting here is shorter than the back-off between pods of a job.
    for (;;) {
      try {
        console.log(`${await migrate(service, settings)} migrations applied`);
        process.exit(0);
      } catch (error) {
        console.error((error as Error).message);
        await sleep(1000);
      }
    }
  },
  /** Writes a copy of a service's embedded store to a file. */
  async backup(name, file) {
    await copyOf(name!, file!);
  },
  /** Prints the response of a service: the image has no other client. */
  async get(url) {
    console.log(await (await fetch(url!)).text());
  },
  async load() {
    const end = new AbortController();
    void ended.then(() => end.abort());
    const [rate, count] = [Number(env["RATE"] ?? 10), Number(env["CUSTOMERS"] ?? 4)];
    await load({ url: env["TARGET"] ?? "http://web", ledger, rate, customers: count }, end.signal);
    process.exit(0);
  },
  async check() {
    process.exitCode = (await check(() => readLedger(ledger))) === 0 ? 0 : 1;
  },
};

const [command = "", ...args] = process.argv.slice(2);
const chosen = commands[command];
if (chosen === undefined) throw new Error(`no command ${command}: choose of ${Object.keys(commands).join(", ")}`);
await chosen(...args);
