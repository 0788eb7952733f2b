// The API server's memory while objects come, change and go without end, before the eyes of some watchers: it must not
// grow. First it is let fill what it keeps anyway, recent history; from there on it is measured.
import { realWorld } from "../machinery/real-world.ts";
import { churn, crowd } from "./api/churn.ts";
import { asking } from "./api/load.ts";
import { newTrust, served } from "./api/process.ts";
import type { Usage } from "./api/served.ts";
import { report } from "./report.ts";

const minutes = Number(process.argv[2] ?? 10);
const rate = Number(process.argv[3] ?? 200);
/** After so many writes history is as long as it will be, once it was looked at twice; see upkeep.ts. */
const fullAfter = 20_000;
const twoLooksMs = 35_000;
/** Between two looks at history it grows: the least of several samples says what is kept. */
const sampleEveryMs = 4_000;
const samplesAtOnce = 5;

const { clock } = realWorld(() => {});
const trust = await newTrust(clock.now());
const server = await served({ serve: "memory", ...trust });
const stop = new AbortController();
const ask = asking(server, trust);
const writing = churn(ask, { clock, rate }, stop.signal);
const watching = crowd(server, trust, writing, stop.signal);

interface Sample {
  readonly atMs: number;
  readonly writes: number;
  readonly kept: number;
  readonly resident: number;
}
const began = performance.now();
const keptBy = ({ heap, outside }: Usage): number => heap + outside;
async function sample(): Promise<Sample> {
  let least = await server.usage();
  for (let i = 1; i < samplesAtOnce; i++) {
    await clock.sleep(sampleEveryMs);
    const next = await server.usage();
    if (keptBy(next) < keptBy(least)) least = next;
  }
  const now = {
    atMs: performance.now() - began,
    writes: writing.count(),
    kept: keptBy(least),
    resident: least.resident,
  };
  const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  process.stdout.write(
    `       after ${(now.atMs / 1000).toFixed(0)} s and ${now.writes} writes: ${mb(now.kept)} kept, ${mb(now.resident)} resident\n`,
  );
  return now;
}

while (writing.count() < fullAfter) await clock.sleep(1_000);
await clock.sleep(twoLooksMs);
const first = await sample();
const end = performance.now() + minutes * 60_000;
const samples = [first];
while (performance.now() < end) {
  await clock.sleep(Math.max(0, Math.min(minutes * 30_000, end - performance.now()) - sampleEveryMs * samplesAtOnce));
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
