// A process with many idle watches: opens as many as its parent requests over IPC, reports when all have responded, and
// exits when its parent disconnects.
import { fork } from "node:child_process";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:tls";
import type { Trust } from "./process.ts";

/** The server, and the number of watches to open. */
export interface WatchesSpec extends Trust {
  readonly port: number;
  readonly count: number;
  readonly http: 1 | 2;
}
const streamsPerConnection = 100;
const concurrency = 50;

/** Watches of informers and kubelets: all objects of a kind, and the pods of a node. */
function pathOf(i: number): string {
  const pods = `/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-${i}`;
  const base = i % 2 === 0 ? "/api/v1/configmaps?limit=500" : pods;
  return `${base}&watch=1&allowWatchBookmarks=true&timeoutSeconds=3600`;
}

async function openOne({ port, ca, admin }: WatchesSpec, i: number): Promise<void> {
  const socket = connect({ host: "127.0.0.1", port, ca, ...admin });
  await once(socket, "secureConnect");
  socket.write(`GET ${pathOf(i)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(socket, "data");
  socket.resume();
}

async function openStream(session: ClientHttp2Session, i: number): Promise<void> {
  const stream = session.request({ ":path": pathOf(i) });
  await once(stream, "response");
  stream.resume();
}
async function openMany({ port, ca, admin }: WatchesSpec, first: number, count: number): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, ...admin });
  await once(session, "connect");
  await Promise.all(Array.from({ length: count }, (_, i) => openStream(session, first + i)));
}

async function openAll(spec: WatchesSpec): Promise<void> {
  const batch = spec.http === 2 ? streamsPerConnection : concurrency;
  for (let first = 0; first < spec.count; first += batch) {
    const count = Math.min(batch, spec.count - first);
    if (spec.http === 2) await openMany(spec, first, count);
    else await Promise.all(Array.from({ length: count }, (_, i) => openOne(spec, first + i)));
  }
}

/** Starts a process and waits until all of its watches have responded. */
export async function watchingProcess(spec: WatchesSpec): Promise<{ close(): Promise<void> }> {
  const child = fork(import.meta.filename);
  const ended = once(child, "exit");
  child.send(spec);
  await Promise.race([
    once(child, "message"),
    ended.then(() => Promise.reject(new Error("the process that watches has ended"))),
  ]);
  return {
    async close() {
      child.disconnect();
      await ended;
    },
  };
}

if (process.send) {
  process.once("message", (spec: WatchesSpec) => void openAll(spec).then(() => process.send?.("open")));
  process.once("disconnect", () => process.exit());
}
