// A client behind a bad cable: requests are slow, lost before or after they took effect, or arrive long after we gave
// up.
import { ApiError } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { Client } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import type { VirtualClock } from "./virtual-clock.ts";

/** Requests whose late arrival explains what would be wrong otherwise. */
export type LateVerb = "create" | "delete";

/** A world whose time is ours. */
export interface SimulatedWorld extends World {
  readonly clock: VirtualClock;
}

export interface Network {
  readonly latencyMs: number;
  readonly timeoutMs: number;
  /** Chance that a request, and that an answer, is lost. */
  loss: number;
  /** Chance that a request arrives after its sender gave up. */
  lateness: number;
  /** The server is away: nothing gets through, and every watch is cut. */
  down: boolean;
}

/** `late` is called for every creation and deletion of a pod or job that arrives after its sender gave up. */
export function flaky(
  client: Client,
  world: SimulatedWorld,
  network: Network,
  late: (verb: LateVerb) => void,
  life?: AbortSignal,
): Client {
  const { clock, random } = world;
  // In steps, so that what comes at about the same time comes at the same time.
  const delay = (): number => Math.round(random.next() * (network.latencyMs / 4)) * 8;
  const call = <T>(send: () => Promise<T>, arrivesLate = (): void => {}): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      // A process that was killed sends nothing more; what it sent before may still arrive.
      if (life?.aborted) return reject(new ApiError("ServiceUnavailable", "this process is dead"));
      const isLate = random.next() < network.lateness;
      const there = delay() + (isLate ? network.timeoutMs * 3 : 0);
      const back = delay();
      const [lostThere, lostBack] = [random.next() < network.loss, random.next() < network.loss];
      const answered = clock.after(network.timeoutMs, () => reject(new ApiError("Timeout", "no answer")));
      if (lostThere || network.down) return;
      const answer = (settle: () => void): void => {
        if (lostBack || network.down) return;
        clock.after(back, () => {
          answered();
          settle();
        });
      };
      clock.after(there, () => {
        if (network.down) return;
        if (isLate) arrivesLate();
        send().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error as Error)),
        );
      });
    });
  const lateOf = (r: ResourceDefinition<any>, verb: LateVerb) =>
    ["Pod", "Job"].includes(r.kind) ? () => late(verb) : undefined;
  return {
    get: (r, key) => call(() => client.get(r, key)),
    scale: (r, key) => call(() => client.scale(r, key)),
    list: (r, options) => call(() => client.list(r, options)),
    metricValues: (query) => call(() => client.metricValues(query)),
    create: (r, draft) => call(() => client.create(r, draft), lateOf(r, "create")),
    update: (r, object, part) => call(() => client.update(r, object, part)),
    patch: (r, key, patch, part) => call(() => client.patch(r, key, patch, part)),
    delete: (r, key, options) => call(() => client.delete(r, key, options), lateOf(r, "delete")),
    evict: (key, options) =>
      call(
        () => client.evict(key, options),
        () => late("delete"),
      ),
    revision: (kind) => call(() => client.revision(kind)),
    inTerm: (term) => flaky(client.inTerm(term), world, network, late, life),
    asController: (account) => flaky(client.asController(account), world, network, late, life),
    inSpan: (span) => flaky(client.inSpan(span), world, network, late, life),
    async *watch(r, options, signal) {
      for await (const event of client.watch(r, options, signal)) {
        if (network.down || random.next() < network.loss / 4) throw new ApiError("ServiceUnavailable", "watch cut");
        // A backlog crosses the wire together: one delay, then everything that is there.
        if (event.type !== "progress") await clock.sleep(delay() / 2);
        yield event;
      }
    },
  };
}
