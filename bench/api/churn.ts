// Steady load of a busy cluster: objects are created, changed and deleted at a constant rate, while watches open and
// close.
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "../../machinery/world.ts";
import type { Send } from "./load.ts";
import { podDraft } from "./pod.ts";
import type { ServerProcess, Trust } from "./process.ts";

const pods = "/api/v1/namespaces/default/pods";
/** The number of objects at any time. */
const population = 500;

/** A load that runs until the signal aborts, and the number of its operations. */
export interface Load {
  count(): number;
  readonly ended: Promise<void>;
}

/** Creates, changes and deletes objects at a rate of writes per second; names are never reused. */
export function churn(
  send: Send,
  { clock, rate }: { readonly clock: Clock; readonly rate: number },
  signal: AbortSignal,
): Load {
  let [writes, created] = [0, 0];
  const living: string[] = [];
  const change = (name: string, turn: number): Promise<unknown> =>
    send("PATCH", `${pods}/${name}`, JSON.stringify({ metadata: { annotations: { turn: String(turn) } } }));
  const writeOne = async (): Promise<void> => {
    const name = `churn-${created++}`;
    await send("POST", pods, JSON.stringify(podDraft({ name })));
    living.push(name);
    for (let turn = 0; turn < 3; turn++) await change(living[(created + turn * 31) % living.length]!, turn);
    writes += 4;
    if (living.length < population) return;
    await send("DELETE", `${pods}/${living.shift()}?gracePeriodSeconds=0`);
    writes++;
  };
  const run = async (): Promise<void> => {
    const began = performance.now();
    while (!signal.aborted) {
      await writeOne();
      const ahead = (1000 * writes) / rate - (performance.now() - began);
      if (ahead > 0) await clock.sleep(ahead, signal).catch(() => {});
    }
  };
  return { count: () => writes, ended: run() };
}

/** Opens a watch whose events are discarded. */
async function openWatch({ port }: ServerProcess, { ca, admin }: Trust, query: string): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ca, ...admin });
  await once(socket, "secureConnect");
  socket.write(`GET ${pods}?watch=1${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(socket, "data");
  return socket.resume();
}
const watchQueries = ["", "&allowWatchBookmarks=true", "&fieldSelector=spec.nodeName%3Dn1", "&labelSelector=app%3Dweb"];

/** Four permanent watches, and one at a time that lasts for a hundred writes. */
export function watchLoad(server: ServerProcess, trust: Trust, writing: Load, signal: AbortSignal): Load {
  let opened = 0;
  const open = (query: string): Promise<TLSSocket> => {
    opened++;
    return openWatch(server, trust, query);
  };
  const run = async (): Promise<void> => {
    const all = await Promise.all(watchQueries.map(open));
    while (!signal.aborted) {
      const shortWatch = await open(watchQueries[opened % watchQueries.length]!);
      const until = writing.count() + 100;
      while (writing.count() < until && !signal.aborted) await once(all[0]!, "data");
      shortWatch.destroy();
    }
    for (const socket of all) socket.destroy();
  };
  return { count: () => opened, ended: run() };
}
