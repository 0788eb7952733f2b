// What goes on in a cluster that is never quiet: objects made, changed and deleted at a steady pace, and watchers of
// whom some stay and some come and go.
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import type { Clock } from "../../machinery/world.ts";
import type { Ask } from "./load.ts";
import { podDraft } from "./pod.ts";
import type { Served, Trust } from "./process.ts";

const pods = "/api/v1/namespaces/default/pods";
/** So many objects are there at any time. */
const population = 500;

/** Something that goes on until the signal aborts, and how often it has happened. */
export interface Ongoing {
  count(): number;
  readonly ended: Promise<void>;
}

/** Every object is made, changed three times and deleted; its name never comes again. */
export function churn(
  ask: Ask,
  { clock, rate }: { readonly clock: Clock; readonly rate: number },
  signal: AbortSignal,
): Ongoing {
  let [writes, made] = [0, 0];
  const living: string[] = [];
  const change = (name: string, turn: number): Promise<unknown> =>
    ask("PATCH", `${pods}/${name}`, JSON.stringify({ metadata: { annotations: { turn: String(turn) } } }));
  const life = async (): Promise<void> => {
    const name = `churn-${made++}`;
    await ask("POST", pods, JSON.stringify(podDraft({ name })));
    living.push(name);
    for (let turn = 0; turn < 3; turn++) await change(living[(made + turn * 31) % living.length]!, turn);
    writes += 4;
    if (living.length < population) return;
    await ask("DELETE", `${pods}/${living.shift()}?gracePeriodSeconds=0`);
    writes++;
  };
  const run = async (): Promise<void> => {
    const began = performance.now();
    while (!signal.aborted) {
      await life();
      const ahead = (1000 * writes) / rate - (performance.now() - began);
      if (ahead > 0) await clock.sleep(ahead, signal).catch(() => {});
    }
  };
  return { count: () => writes, ended: run() };
}

/** A watch that is read and forgotten. */
async function listener({ port }: Served, { ca, admin }: Trust, query: string): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, ca, ...admin });
  await once(socket, "secureConnect");
  socket.write(`GET ${pods}?watch=1${query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  await once(socket, "data");
  return socket.resume();
}
const staying = ["", "&allowWatchBookmarks=true", "&fieldSelector=spec.nodeName%3Dn1", "&labelSelector=app%3Dweb"];

/** Four watchers who stay, and one after the other who hears a hundred writes and leaves. */
export function crowd(server: Served, trust: Trust, writing: Ongoing, signal: AbortSignal): Ongoing {
  let opened = 0;
  const open = (query: string): Promise<TLSSocket> => {
    opened++;
    return listener(server, trust, query);
  };
  const run = async (): Promise<void> => {
    const all = await Promise.all(staying.map(open));
    while (!signal.aborted) {
      const guest = await open(staying[opened % staying.length]!);
      const until = writing.count() + 100;
      while (writing.count() < until && !signal.aborted) await once(all[0]!, "data");
      guest.destroy();
    }
    for (const socket of all) socket.destroy();
  };
  return { count: () => opened, ended: run() };
}
