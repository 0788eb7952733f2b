// Benchmarks the API server over HTTPS against a bare server that sends the same bytes: memory, reads, watches, creates.
// 10,000 pods of 5 KB are stored; client and server share the machine's cores.
import { etcdCluster } from "../test/etcd/cluster.ts";
import { realWorld } from "../machinery/real-world.ts";
import { openWatches, rate, type Send, sender } from "./api/load.ts";
import { podDraft } from "./api/pod.ts";
import { newTrust, type ServerProcess, startServer, type Trust } from "./api/process.ts";
import { median, report } from "./report.ts";

const seconds = Number(process.argv[2] ?? 5);
const stored = 10_000;
const watchers = 1_000;
const pods = "/api/v1/namespaces/default/pods";
const one = `${pods}/pod-00500`;
const page = `${pods}?limit=500`;

async function fill(send: Send): Promise<void> {
  const names = Array.from({ length: stored }, (_, i) => `pod-${String(i).padStart(5, "0")}`);
  while (names.length > 0)
    await Promise.all(names.splice(0, 32).map((name) => send("POST", pods, JSON.stringify(podDraft({ name })))));
}

async function measureMemory(server: ServerProcess, send: Send): Promise<void> {
  const before = await server.usage();
  await fill(send);
  const after = await server.usage();
  const bytes = (await send("GET", one)).length;
  report({
    what: "memory for each stored pod",
    value: (after.heap + after.external - before.heap - before.external) / stored / 1000,
    unit: "KB",
    beside: { what: "the pod as it is served", value: bytes / 1000, unit: "KB" },
    budget: { atMost: 12 },
  });
}

/** The rate relative to that of the bare server, measured in turns, so that the machine's load affects both. */
async function measureReads(
  what: string,
  path: string,
  [apiProcess, bare]: readonly [ServerProcess, ServerProcess],
  trust: Trust,
) {
  const [rates, bareRates]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 3; turn++) {
    rates.push(await rate(apiProcess, trust, { path, seconds }));
    bareRates.push(await rate(bare, trust, { path, seconds }));
  }
  const [apiRate, bareRate] = [median(rates), median(bareRates)];
  report({
    what: `${what}, ${apiRate.toFixed(0)} a second, by bare`,
    value: (100 * apiRate) / bareRate,
    unit: "%",
    beside: { what: "bare", value: bareRate, unit: "/s" },
    budget: { atLeast: 60 },
  });
}

/** Median milliseconds from a change until the last of the watchers has its event. */
async function fanOutMs(server: ServerProcess, trust: Trust, change: () => Promise<unknown>): Promise<number> {
  const all = await openWatches(
    server,
    trust,
    `${pods}?watch=1&resourceVersion=${stored}&fieldSelector=metadata.name%3Dpod-00500`,
    watchers,
  );
  // Warm-up: the first events run code that is not compiled yet.
  for (let i = 0; i < 15; i++) await all.msUntilReceived(change);
  const times: number[] = [];
  for (let i = 0; i < 30; i++) times.push(await all.msUntilReceived(change));
  all.close();
  return median(times);
}

async function measureWatches(
  [apiProcess, bare]: readonly [ServerProcess, ServerProcess],
  trust: Trust,
): Promise<void> {
  const [send, sendBare] = [sender(apiProcess, trust), sender(bare, trust)];
  let turn = 0;
  const touch = (): Promise<unknown> =>
    send("PATCH", one, JSON.stringify({ metadata: { annotations: { turn: String(turn++) } } }));
  const apiMs = await fanOutMs(apiProcess, trust, touch);
  const bareMs = await fanOutMs(bare, trust, () => sendBare("GET", "/send-event"));
  report({
    what: `one event until the last of ${watchers} watchers has it`,
    value: apiMs,
    unit: "ms",
    beside: { what: "bare", value: bareMs, unit: "ms" },
    budget: { atMost: 50 },
  });
}

async function measureCreates(
  what: string,
  server: ServerProcess,
  trust: Trust,
  atLeast: number,
  bare: ServerProcess,
): Promise<void> {
  const post = JSON.stringify(podDraft({ generateName: "made-" }));
  // Warm-up, so that the code is compiled as in the servers measured before.
  await rate(server, trust, { path: pods, seconds: 2 * seconds, post, connections: 64 });
  const createRate = await rate(server, trust, { path: pods, seconds, post, connections: 64 });
  const bareRate = await rate(bare, trust, { path: pods, seconds, post, connections: 64 });
  report({
    what: `pods created on ${what}`,
    value: createRate,
    unit: "/s",
    beside: { what: "bodies sent to bare", value: bareRate, unit: "/s" },
    budget: { atLeast },
  });
}

const trust = await newTrust(realWorld(() => {}).clock.now());
const apiProcess = await startServer({ serve: "memory", ...trust });
const send = sender(apiProcess, trust);
await measureMemory(apiProcess, send);
const object = await send("GET", one);
const event = `{"type":"MODIFIED","object":${object}}\n`;
const bare = await startServer({
  serve: "bare",
  ...trust,
  bodies: { [one]: object, [page]: await send("GET", page), "/event": event },
});
await measureReads("GET of one pod", one, [apiProcess, bare], trust);
await measureReads("LIST of 500", page, [apiProcess, bare], trust);
await measureWatches([apiProcess, bare], trust);
await measureCreates("memory", apiProcess, trust, 2_000, bare);
await apiProcess.close();
const etcd = await etcdCluster(1);
const onEtcd = await startServer({ serve: "etcd", hosts: etcd.hosts, ...trust });
await measureCreates("etcd", onEtcd, trust, 1_000, bare);
await onEtcd.close();
await etcd.close();
await bare.close();
