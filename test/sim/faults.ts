// Faults beside those of the network: requests that arrive twice, views that stand still, clocks that differ, processes
// that die at a write, and history that is compacted.
import { instant } from "../../api/meta.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Storage } from "../../apiserver/storage/storage.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import type { LateVerb, SimulatedWorld } from "./network.ts";

/** How often each happens; all zero in peace. */
export interface Faults {
  /** Chance that a request arrives a second time, a while after the first. */
  duplication: number;
  /** Chance that a watch stands still for some seconds before an event. */
  stalls: number;
  /** Chance that a process dies with a write under way. */
  crashes: number;
}
export const usualFaults = (): Faults => ({ duplication: 0.005, stalls: 0.002, crashes: 0.001 });

const mostDuplicateMs = 4_000;
const mostStallMs = 8_000;
/** Clocks of two processes differ by twice this at most. */
const mostSkewMs = 2_000;

/** A server that some requests reach twice. Answers are those of the first. */
export function duplicating(
  client: Client,
  world: SimulatedWorld,
  faults: Faults,
  late: (verb: LateVerb) => void,
): Client {
  const { clock, random } = world;
  const twice = <T>(send: () => Promise<T>, arrivesLate = (): void => {}): Promise<T> => {
    if (random.next() < faults.duplication)
      clock.after(random.next() * mostDuplicateMs, () => {
        arrivesLate();
        send().catch(() => {});
      });
    return send();
  };
  const lateOf = (r: ResourceDefinition<any>, verb: LateVerb) =>
    ["Pod", "Job"].includes(r.kind) ? () => late(verb) : undefined;
  return {
    ...client,
    create: (r, draft) => twice(() => client.create(r, draft), lateOf(r, "create")),
    update: (r, object, part) => twice(() => client.update(r, object, part)),
    patch: (r, key, patch, part) => twice(() => client.patch(r, key, patch, part)),
    delete: (r, key, options) => twice(() => client.delete(r, key, options), lateOf(r, "delete")),
    evict: (key, options) =>
      twice(
        () => client.evict(key, options),
        () => late("delete"),
      ),
    inTerm: (term) => duplicating(client.inTerm(term), world, faults, late),
    asController: (account) => duplicating(client.asController(account), world, faults, late),
    inSpan: (span) => duplicating(client.inSpan(span), world, faults, late),
    async *watch(r, options, signal) {
      for await (const event of client.watch(r, options, signal)) {
        if (event.type !== "progress" && random.next() < faults.stalls) await clock.sleep(random.next() * mostStallMs);
        yield event;
      }
    },
  };
}

/** The client of a process that dies while some writes are under way: what it sent may still arrive. */
export function mortal(client: Client, world: World, faults: Faults, die: () => void): Client {
  const last = <T>(send: () => Promise<T>): Promise<T> => {
    const sent = send();
    if (world.random.next() < faults.crashes) die();
    return sent;
  };
  return {
    ...client,
    create: (r, draft) => last(() => client.create(r, draft)),
    update: (r, object, part) => last(() => client.update(r, object, part)),
    patch: (r, key, patch, part) => last(() => client.patch(r, key, patch, part)),
    delete: (r, key, options) => last(() => client.delete(r, key, options)),
    evict: (key, options) => last(() => client.evict(key, options)),
    inTerm: (term) => mortal(client.inTerm(term), world, faults, die),
    asController: (account) => mortal(client.asController(account), world, faults, die),
    inSpan: (span) => mortal(client.inSpan(span), world, faults, die),
  };
}

/** The world as a process sees it whose clock is fast or slow. */
export function skewed(world: SimulatedWorld): World {
  const { clock, random } = world;
  const ms = Math.round((random.next() * 2 - 1) * mostSkewMs);
  return { ...world, clock: { now: () => instant(clock.now() + ms), sleep: clock.sleep } };
}

/** Compacts history now and then, up to shortly before its end. */
export async function compacting(storage: Storage, { clock, random }: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(20_000 + random.next() * 60_000, signal);
    const head = await storage.revision();
    await storage.compact(Math.max(0, head - Math.floor(random.next() * 20)) as typeof head);
  }
}
