// Leader election by a Lease: of several candidates one runs the component, and another takes over when it stops
// renewing. Writes are fenced by the term, so that a leader that was paused writes nothing more after its end.
import type { Instant } from "../api/meta.ts";
import { abortedWith, onAbort, succeeds } from "./abort.ts";
import type { Client } from "./client.ts";
import { eventRecorder } from "./events.ts";
import { type ElectionOptions, leaseLock, type Lock, type Renewal } from "./lease-lock.ts";
import { isTermOver, type LeaseTerm } from "./lease-term.ts";
import type { World } from "./world.ts";

/** Candidates wait up to this many times the retry period longer, so that they do not all retry at once. */
const jitterFactor = 1.2;

/** Waits until the lease is free or has expired, and takes it. The time of the acquisition; undefined when aborted. */
async function elected(
  held: Lock,
  { retryPeriodMs = 2_000, renewDeadlineMs = 10_000 }: ElectionOptions,
  { clock, random }: World,
  signal: AbortSignal,
): Promise<Instant | undefined> {
  while (!signal.aborted) {
    const valid = held.validMs();
    if (valid > 0) {
      await held.sleep(valid, signal);
      continue;
    }
    const began = clock.now();
    const isAcquired = await held.tryAcquire();
    // If the response took longer than the deadline, the lease may have expired.
    if (isAcquired && clock.now() < began + renewDeadlineMs && !signal.aborted) return began;
    if (held.validMs() === 0)
      await clock.sleep(retryPeriodMs * (1 + random.next() * jitterFactor), signal).catch(() => {});
  }
  return undefined;
}

/** Renews until the lease is lost or the signal aborts. `since` is when the lease was last renewed. */
async function renew(held: Lock, options: ElectionOptions, world: World, since: Instant, signal: AbortSignal) {
  const { renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  const { clock } = world;
  let renewedAt = since;
  const left = (): number => renewedAt + renewDeadlineMs - clock.now();
  while (left() > 0) {
    await held.sleep(Math.min(retryPeriodMs, left()), signal);
    signal.throwIfAborted();
    const began = clock.now();
    const attempt = abortedWith(signal);
    const late = clock.sleep(Math.max(0, left()), attempt.signal);
    const deadline = succeeds(late).then((): Renewal => "failed");
    // A renewal that is still under way at the deadline is none.
    const renewal = await Promise.race([held.renew(), deadline]);
    attempt.end();
    signal.throwIfAborted();
    if (renewal === "renewed") renewedAt = began;
    if (renewal === "lost") return;
  }
}

/** A client that writes in a term. `refused` is called when a write shows that the term is over. */
function clientInTerm(client: Client, term: LeaseTerm, refused: () => void): Client {
  const fenced = client.inTerm(term);
  const noticed = async <T>(write: Promise<T>): Promise<T> => {
    try {
      return await write;
    } catch (e) {
      if (isTermOver(e)) refused();
      throw e;
    }
  };
  return {
    ...fenced,
    create: (r, draft) => noticed(fenced.create(r, draft)),
    update: (r, object, subresource) => noticed(fenced.update(r, object, subresource)),
    patch: (r, key, patch, subresource) => noticed(fenced.patch(r, key, patch, subresource)),
    delete: (r, key, options) => noticed(fenced.delete(r, key, options)),
    asController: (account) => clientInTerm(client.asController(account), term, refused),
    inSpan: (span) => clientInTerm(client.inSpan(span), term, refused),
  };
}

/** What a leader runs: its client writes in the term, and the signal aborts when the term is over. */
export type Lead = (client: Client, signal: AbortSignal) => Promise<void>;

/** Leads for one term. Returns whether the component has ended by itself; throws its error then. */
async function leadTerm(
  held: Lock,
  client: Client,
  lead: Lead,
  renewing: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<boolean> {
  const term = new AbortController();
  const off = onAbort(signal, () => term.abort(signal.reason));
  const refused = (): void => term.abort(new Error("a write was refused: the term is over"));
  let isOver = false;
  const leading = lead(clientInTerm(client, held.term!, refused), term.signal).finally(() => {
    isOver = !term.signal.aborted;
    term.abort(new Error("the component has ended"));
  });
  // Looked at below; a component may end before its lease does.
  leading.catch(() => {});
  await renewing(term.signal).catch(() => {});
  off();
  const wasOver = isOver;
  term.abort(new Error("the lease is lost"));
  await leading.catch((e: unknown) => {
    // An error of a component after its stop is not a failure.
    if (wasOver) throw e;
  });
  return wasOver;
}

/**
 * Runs `lead` whenever the lease is held, until the signal aborts. The signal passed to `lead` aborts when the lease is
 * lost or a write is refused because of that; it must settle soon afterwards. The lease is released when the signal
 * aborts and `lead` has settled. Settles early when `lead` does.
 */
export async function runAsLeader(
  options: ElectionOptions,
  client: Client,
  world: World,
  lead: Lead,
  signal: AbortSignal,
): Promise<void> {
  const { identity, name } = options;
  const held = leaseLock(options, client, world);
  const events = eventRecorder(client, world, { component: name });
  const report = (what: string): void => {
    world.log(`leader election: ${what}`, { lease: name, identity });
    if (held.lease) events.record(held.lease, "Normal", "LeaderElection", `${identity} ${what}`);
  };
  const following = abortedWith(signal);
  const followed = held.follow(following.signal);
  try {
    for (;;) {
      const since = await elected(held, options, world, signal);
      if (since === undefined) break;
      report("became leader");
      const renewing = (term: AbortSignal): Promise<void> => renew(held, options, world, since, term);
      if (await leadTerm(held, client, lead, renewing, signal)) break;
      if (!signal.aborted) report("stopped leading");
    }
  } finally {
    following.end();
    await followed;
  }
  await held.release();
}
