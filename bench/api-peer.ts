// The API server beside kube-apiserver, both over the same etcd, in turns: creates, GET, LIST of 500 pods, and LIST of
// the 50 pods among 5,000 that have a label. KUBE_APISERVER is the path of kube-apiserver. Optional argument: seconds for each figure.
import { realWorld } from "../machinery/real-world.ts";
import { etcdCluster } from "../test/etcd/cluster.ts";
import { startKubeApiserver } from "./api/kube-apiserver.ts";
import { rate, sender } from "./api/load.ts";
import { podDraft } from "./api/pod.ts";
import { newTrust, type ServerProcess, startServer } from "./api/process.ts";
import { median, report } from "./report.ts";

const program = process.env["KUBE_APISERVER"];
if (program === undefined) {
  process.stderr.write("KUBE_APISERVER has to be the path of kube-apiserver; test/official/build peers makes it\n");
  process.exit(2);
}
const seconds = Number(process.argv[2] ?? 5);
const stored = 5_000;
/** Every so many pods have the same label. */
const shards = 100;
const turns = 3;
const pods = "/api/v1/namespaces/default/pods";

interface Request {
  readonly what: string;
  readonly path: string;
  readonly post?: string;
  readonly connections?: number;
}
const requests: readonly Request[] = [
  { what: "GET of one pod", path: `${pods}/pod-0` },
  { what: "LIST of 500", path: `${pods}?limit=500`, connections: 8 },
  { what: `LIST by label among ${stored}`, path: `${pods}?labelSelector=shard%3D7`, connections: 8 },
  {
    what: "pods created",
    path: pods,
    post: JSON.stringify(podDraft({ generateName: "made-" })),
    connections: 64,
  },
];

const { clock } = realWorld(() => {});
const trust = await newTrust(clock.now());
const etcd = await etcdCluster(1);
const own = await startServer({ serve: "etcd", hosts: etcd.hosts, ...trust });
const peer = await startKubeApiserver(program, etcd.hosts, trust, clock);

const labelled = (i: number): object => {
  const draft = podDraft({ name: `pod-${i}` }) as { readonly metadata: { readonly labels: object } };
  return { ...draft, metadata: { ...draft.metadata, labels: { ...draft.metadata.labels, shard: String(i % shards) } } };
};
async function fill(server: ServerProcess): Promise<void> {
  const send = sender(server, trust);
  const bodies = Array.from({ length: stored }, (_, i) => JSON.stringify(labelled(i)));
  while (bodies.length > 0) await Promise.all(bodies.splice(0, 32).map((body) => send("POST", pods, body)));
}
for (const server of [own, peer]) await fill(server);

for (const { what, ...request } of requests) {
  const [ownRates, peerRates]: [number[], number[]] = [[], []];
  for (let turn = 0; turn <= turns; turn++) {
    const [ownRate, peerRate] = [
      await rate(own, trust, { ...request, seconds }),
      await rate(peer, trust, { ...request, seconds }),
    ];
    // The first turn warms up.
    if (turn === 0) continue;
    ownRates.push(ownRate);
    peerRates.push(peerRate);
  }
  report({
    what: `${what} over etcd, per second`,
    value: median(ownRates),
    unit: "/s",
    beside: { what: "kube-apiserver", value: median(peerRates), unit: "/s" },
    budget: { atLeast: median(peerRates) },
  });
}
await own.close();
await peer.close();
await etcd.close();
