// The memory of 10,000 idle watches over HTTP/1.1 and HTTP/2, compared with a bare server that keeps as many responses
// open. Clients and servers run in processes of their own.
import { realWorld } from "../machinery/real-world.ts";
import { newTrust, type ServerProcess, startServer, type Trust } from "./api/process.ts";
import { type WatchesSpec, watchingProcess } from "./api/watching.ts";
import { report } from "./report.ts";

const count = Number(process.argv[2] ?? 10_000);
const settleMs = 3_000;
const { clock } = realWorld(() => {});

/** The growth of resident memory in MB, after garbage collection. */
async function cost(server: ServerProcess, trust: Trust, protocol: Pick<WatchesSpec, "http">): Promise<number> {
  await clock.sleep(settleMs);
  const before = await server.usage();
  const clients = await watchingProcess({ ...trust, ...protocol, port: server.port, count });
  await clock.sleep(settleMs);
  const after = await server.usage();
  await clients.close();
  return (after.resident - before.resident) / 1e6;
}

const over = { 1: "HTTP/1.1, a connection each", 2: "HTTP/2, 100 a connection" };
/** Budget in percent of the bare server, whose HTTP/2 streams cost almost nothing. */
const budgets = { 1: 150, 2: 1000 };

const trust = await newTrust(clock.now());
for (const http of [2, 1] as const) {
  // Each measurement uses a new process, since a process does not return its memory.
  const measured = async (serve: "memory" | "open"): Promise<number> => {
    const server = await startServer({ serve, ...trust });
    const megabytes = await cost(server, trust, { http });
    await server.close();
    return megabytes;
  };
  const [apiMemory, bare] = [await measured("memory"), await measured("open")];
  report({
    what: `${count} idle watches over ${over[http]}, by bare`,
    value: (100 * apiMemory) / bare,
    unit: "%",
    beside: { what: "bare, each", value: (1000 * bare) / count, unit: "KB" },
    budget: { atMost: budgets[http] },
  });
  // Not for HTTP/1.1: a TLS connection for each watch exceeds this budget by itself.
  if (http === 2)
    report({
      what: `${count} idle watches in total`,
      value: apiMemory,
      unit: "MB",
      beside: { what: "each", value: (1000 * apiMemory) / count, unit: "KB" },
      budget: { atMost: (500 * count) / 10_000 },
    });
}
