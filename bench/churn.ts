// Checks that the API server's memory does not grow while objects are created, changed, deleted and watched. Measured
// from the time when the history of recent changes has its full length.
import { realWorld } from "../machinery/real-world.ts";
import { churn, watchLoad } from "./api/churn.ts";
import { sender } from "./api/load.ts";
import { newTrust, startServer } from "./api/process.ts";
import type { Usage } from "./api/served.ts";
import { report } from "./report.ts";

const minutes = Number(process.argv[2] ?? 10);
const rate = Number(process.argv[3] ?? 200);
/** The writes after which history has its full length, once it was compacted twice; see maintenance.ts. */
const fullAfterWrites = 20_000;
const twoCompactionsMs = 35_000;
/** Memory grows between compactions, so the least of several samples is used. */
const sampleEveryMs = 4_000;
const samplesPerValue = 5;

const { clock } = realWorld(() => {});
const trust = await newTrust(clock.now());
const server = await startServer({ serve: "memory", ...trust });
const stop = new AbortController();
const send = sender(server, trust);
const writing = churn(send, { clock, rate }, stop.signal);
const watching = watchLoad(server, trust, writing, stop.signal);

interface Sample {
  readonly atMs: number;
  readonly writes: number;
  readonly kept: number;
  readonly resident: number;
}
const startedAt = performance.now();
const retainedBy = ({ heap, external }: Usage): number => heap + external;
async function sample(): Promise<Sample> {
  let least = await server.usage();
  for (let i = 1; i < samplesPerValue; i++) {
    await clock.sleep(sampleEveryMs);
    const next = await server.usage();
    if (retainedBy(next) < retainedBy(least)) least = next;
  }
  const now = {
    atMs: performance.now() - startedAt,
    writes: writing.count(),
    kept: retainedBy(least),
    resident: least.resident,
  };
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  process.stdout.write(
    `       after ${(now.atMs / 1000).toFixed(0)} s and ${now.writes} writes: ${mb(now.kept)} kept, ${mb(now.resident)} resident\n`,
  );
  return now;
}

while (writing.count() < fullAfterWrites) await clock.sleep(1_000);
await clock.sleep(twoCompactionsMs);
const first = await sample();
const end = performance.now() + minutes * 60_000;
const samples = [first];
while (performance.now() < end) {
  await clock.sleep(Math.max(0, Math.min(minutes * 30_000, end - performance.now()) - sampleEveryMs * samplesPerValue));
  samples.push(await sample());
}
const last = samples.at(-1)!;
const writes = last.writes - first.writes;
report({
  what: `memory kept after ${writes} more writes and ${watching.count()} watches, by that before`,
  value: (100 * last.kept) / first.kept,
  unit: "%",
  beside: { what: "before", value: first.kept / 1e6, unit: "MB" },
  budget: { atMost: 110 },
});
report({
  what: "growth with every thousand writes",
  value: (last.kept - first.kept) / writes,
  unit: "KB",
  beside: {
    what: "resident, with every thousand writes",
    value: (last.resident - first.resident) / writes,
    unit: "KB",
  },
  budget: { atMost: Math.round((0.1 * first.kept) / writes) },
});
stop.abort();
await writing.ended;
await watching.ended;
await server.close();
