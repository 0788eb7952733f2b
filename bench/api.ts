// The API server under load, beside a bare HTTPS server that answers the same bytes: how much of what the machine can do
// is left when it is Kubernetes. 10,000 pods of 5 KB are stored; client and server share the machine's cores.
import { etcdCluster } from "../test/etcd/cluster.ts";
import { realWorld } from "../machinery/real-world.ts";
import { type Ask, asking, audience, rate } from "./api/load.ts";
import { podDraft } from "./api/pod.ts";
import { newTrust, type Served, served, type Trust } from "./api/process.ts";
import { median, report } from "./report.ts";

const seconds = Number(process.argv[2] ?? 5);
const stored = 10_000;
const watchers = 1_000;
const pods = "/api/v1/namespaces/default/pods";
const one = `${pods}/pod-00500`;
const page = `${pods}?limit=500`;

async function fill(ask: Ask): Promise<void> {
  const names = Array.from({ length: stored }, (_, i) => `pod-${String(i).padStart(5, "0")}`);
  while (names.length > 0)
    await Promise.all(names.splice(0, 32).map((name) => ask("POST", pods, JSON.stringify(podDraft({ name })))));
}

async function memory(server: Served, ask: Ask): Promise<void> {
  const before = await server.usage();
  await fill(ask);
  const after = await server.usage();
  const bytes = (await ask("GET", one)).length;
  report({
    what: "memory for each stored pod",
    value: (after.heap + after.outside - before.heap - before.outside) / stored / 1000,
    unit: "KB",
    beside: { what: "the pod as it is served", value: bytes / 1000, unit: "KB" },
    budget: { atMost: 12 },
  });
}

/** Ours by bare, in turns, so that both see the same machine. */
async function reading(what: string, path: string, [ours, bare]: readonly [Served, Served], trust: Trust) {
  const [own, other]: [number[], number[]] = [[], []];
  for (let turn = 0; turn < 3; turn++) {
    own.push(await rate(ours, trust, { path, seconds }));
    other.push(await rate(bare, trust, { path, seconds }));
  }
  const [mine, theirs] = [median(own), median(other)];
  report({
    what: `${what}, ${mine.toFixed(0)} a second, by bare`,
    value: (100 * mine) / theirs,
    unit: "%",
    beside: { what: "bare", value: theirs, unit: "/s" },
    budget: { atLeast: 60 },
  });
}

async function telling(server: Served, trust: Trust, tell: () => Promise<unknown>): Promise<number> {
  const all = await audience(
    server,
    trust,
    `${pods}?watch=1&resourceVersion=${stored}&fieldSelector=metadata.name%3Dpod-00500`,
    watchers,
  );
  // The first are told by code that is not compiled yet.
  for (let i = 0; i < 15; i++) await all.hears(tell);
  const times: number[] = [];
  for (let i = 0; i < 30; i++) times.push(await all.hears(tell));
  all.leave();
  return median(times);
}

async function watching([ours, bare]: readonly [Served, Served], trust: Trust): Promise<void> {
  const [ask, askBare] = [asking(ours, trust), asking(bare, trust)];
  let turn = 0;
  const touch = (): Promise<unknown> =>
    ask("PATCH", one, JSON.stringify({ metadata: { annotations: { turn: String(turn++) } } }));
  const mine = await telling(ours, trust, touch);
  const theirs = await telling(bare, trust, () => askBare("GET", "/tell"));
  report({
    what: `one event until the last of ${watchers} watchers has it`,
    value: mine,
    unit: "ms",
    beside: { what: "bare", value: theirs, unit: "ms" },
    budget: { atMost: 50 },
  });
}

async function creating(what: string, server: Served, trust: Trust, atLeast: number, bare: Served): Promise<void> {
  const post = JSON.stringify(podDraft({ generateName: "made-" }));
  // A server that has just begun is measured once its code is compiled, as the one before it was.
  await rate(server, trust, { path: pods, seconds: 2 * seconds, post, connections: 64 });
  const made = await rate(server, trust, { path: pods, seconds, post, connections: 64 });
  const answered = await rate(bare, trust, { path: pods, seconds, post, connections: 64 });
  report({
    what: `pods created on ${what}`,
    value: made,
    unit: "/s",
    beside: { what: "bodies sent to bare", value: answered, unit: "/s" },
    budget: { atLeast },
  });
}

const trust = await newTrust(realWorld(() => {}).clock.now());
const ours = await served({ serve: "memory", ...trust });
const ask = asking(ours, trust);
await memory(ours, ask);
const object = await ask("GET", one);
const event = `{"type":"MODIFIED","object":${object}}\n`;
const bare = await served({
  serve: "bare",
  ...trust,
  bodies: { [one]: object, [page]: await ask("GET", page), "/event": event },
});
await reading("GET of one pod", one, [ours, bare], trust);
await reading("LIST of 500", page, [ours, bare], trust);
await watching([ours, bare], trust);
await creating("memory", ours, trust, 2_000, bare);
await ours.close();
const etcd = await etcdCluster(1);
const onEtcd = await served({ serve: "etcd", hosts: etcd.hosts, ...trust });
await creating("etcd", onEtcd, trust, 1_000, bare);
await onEtcd.close();
await etcd.close();
await bare.close();
