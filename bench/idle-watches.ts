// What ten thousand watches cost that have nothing to tell, over either version of HTTP, beside a bare server that
// holds as many answers open. Clients and servers are processes of their own; the servers' memory is read.
import { realWorld } from "../machinery/real-world.ts";
import { newTrust, type Served, served, type Trust } from "./api/process.ts";
import { type Opening, watchingProcess } from "./api/watching.ts";
import { report } from "./report.ts";

const count = Number(process.argv[2] ?? 10_000);
const settleMs = 3_000;
const { clock } = realWorld(() => {});

/** Megabytes a server holds for them, resident and after its rubbish was thrown away. */
async function cost(server: Served, trust: Trust, how: Pick<Opening, "http">): Promise<number> {
  await clock.sleep(settleMs);
  const before = await server.usage();
  const clients = await watchingProcess({ ...trust, ...how, port: server.port, count });
  await clock.sleep(settleMs);
  const after = await server.usage();
  await clients.close();
  return (after.resident - before.resident) / 1e6;
}

const over = { 1: "HTTP/1.1, a connection each", 2: "HTTP/2, 100 a connection" };
/** Hundredths of what a bare server takes, whose streams of HTTP/2 are next to nothing. */
const most = { 1: 150, 2: 1000 };

const trust = await newTrust(clock.now());
for (const http of [2, 1] as const) {
  // One after the other, each fresh: what a server has taken once, it does not give back.
  const measured = async (serve: "memory" | "open"): Promise<number> => {
    const server = await served({ serve, ...trust });
    const taken = await cost(server, trust, { http });
    await server.close();
    return taken;
  };
  const [ours, bare] = [await measured("memory"), await measured("open")];
  report({
    what: `${count} idle watches over ${over[http]}, by bare`,
    value: (100 * ours) / bare,
    unit: "%",
    beside: { what: "bare, each", value: (1000 * bare) / count, unit: "KB" },
    budget: { atMost: most[http] },
  });
  // A connection of TLS for each costs more than that by itself.
  if (http === 2)
    report({
      what: `${count} of them in all`,
      value: ours,
      unit: "MB",
      beside: { what: "each", value: (1000 * ours) / count, unit: "KB" },
      budget: { atMost: (500 * count) / 10_000 },
    });
}
