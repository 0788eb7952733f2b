// One process full of clients that only listen, the other side of many open answers: told by its parent how many to
// open, it says when all of them have begun, and stays until its parent lets go.
import { fork } from "node:child_process";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect } from "node:tls";
import type { Trust } from "./process.ts";

/** How many watches to open, and where. */
export interface Opening extends Trust {
  readonly port: number;
  readonly count: number;
  readonly http: 1 | 2;
}
const streamsEach = 100;
const atOnce = 50;

/** What informers and kubelets ask for: everything of a kind, and what is on one node. */
function pathOf(i: number): string {
  const pods = `/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-${i}`;
  const base = i % 2 === 0 ? "/api/v1/configmaps?limit=500" : pods;
  return `${base}&watch=1&allowWatchBookmarks=true&timeoutSeconds=3600`;
}

async function openOne({ port, ca, admin }: Opening, i: number): Promise<void> {
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
async function openMany({ port, ca, admin }: Opening, first: number, count: number): Promise<void> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca, ...admin });
  await once(session, "connect");
  await Promise.all(Array.from({ length: count }, (_, i) => openStream(session, first + i)));
}

async function openAll(opening: Opening): Promise<void> {
  const each = opening.http === 2 ? streamsEach : atOnce;
  for (let first = 0; first < opening.count; first += each) {
    const count = Math.min(each, opening.count - first);
    if (opening.http === 2) await openMany(opening, first, count);
    else await Promise.all(Array.from({ length: count }, (_, i) => openOne(opening, first + i)));
  }
}

/** Starts such a process, and waits until all its watches have begun. */
export async function watchingProcess(opening: Opening): Promise<{ close(): Promise<void> }> {
  const child = fork(import.meta.filename);
  const ended = once(child, "exit");
  child.send(opening);
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
  process.once("message", (opening: Opening) => void openAll(opening).then(() => process.send?.("open")));
  process.once("disconnect", () => process.exit());
}
