// What tracing costs a create through the API: two servers in one run, one of which traces every write and keeps the
// traces, in turns; by the CPU time of their processes, which other load on the machine does not change.
import { realWorld } from "../machinery/real-world.ts";
import { sender } from "./api/load.ts";
import { podDraft } from "./api/pod.ts";
import { newTrust, type ServerProcess, startServer } from "./api/process.ts";
import { median, report } from "./report.ts";

const creates = Number(process.argv[2] ?? 2_000);
const turns = 9;
const pods = "/api/v1/namespaces/default/pods";
const post = JSON.stringify(podDraft({ generateName: "made-" }));
const trust = await newTrust(realWorld(() => {}).clock.now());

/** CPU milliseconds of the server for so many creates, without the garbage collection that reading them begins. */
async function cpuMs(server: ServerProcess): Promise<number> {
  const send = sender(server, trust);
  const before = await server.usage();
  for (let i = 0; i < creates; i += 32)
    await Promise.all(Array.from({ length: Math.min(32, creates - i) }, () => send("POST", pods, post)));
  return (await server.usage()).cpuMs - before.cpuMs;
}

const off = await startServer({ serve: "memory", ...trust });
const on = await startServer({ serve: "memory", ...trust, isTraced: true });
const [without, withTraces]: [number[], number[]] = [[], []];
for (let turn = -2; turn < turns; turn++) {
  // The first turns are a warm-up.
  const measured =
    turn % 2 === 0 ? [await cpuMs(off), await cpuMs(on)] : [await cpuMs(on), await cpuMs(off)].toReversed();
  if (turn < 0) continue;
  without.push(measured[0]!);
  withTraces.push(measured[1]!);
}
await off.close();
await on.close();
const perCreate = (all: readonly number[]): number => (median(all) / creates) * 1000;
report({
  what: "CPU time of a create that is traced, of one that is not",
  value: (100 * median(withTraces)) / median(without),
  unit: "%",
  beside: { what: "without", value: perCreate(without), unit: "µs" },
  budget: { atMost: 105 },
});
