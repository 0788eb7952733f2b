// A lock made of a Lease object: acquired, renewed and released by compare-and-swap, and followed by a watch. Clocks of
// different machines are never compared. Source: client-go's leader election, coordination/v1.
import { leases } from "../api/coordination/leases.ts";
import { ifFound } from "../api/errors.ts";
import type { Lease } from "../api/generated/types.ts";
import { sameJson } from "../api/hash.ts";
import { type Instant, instant, key, microTimestamp, revisionOf } from "../api/meta.ts";
import { abortedWith, succeeds } from "./abort.ts";
import type { Client } from "./client.ts";
import { informer } from "./informer.ts";
import { isInTerm, type LeaseTerm, termOf } from "./lease-term.ts";
import { newSignal, type Signal } from "./signal.ts";
import type { Clock, World } from "./world.ts";

/** The lease, the identity of the candidate, and durations in milliseconds, by default Kubernetes'. */
export interface ElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique among candidates. One that is the same after a restart takes the lease at once, in a new term. */
  readonly identity: string;
  /** How long other candidates wait after the last renewal they saw. 15 s. */
  readonly leaseDurationMs?: number;
  /** How long the leader acts without a successful renewal. 10 s, and always less than the duration. */
  readonly renewDeadlineMs?: number;
  /** Time between renewals, and between attempts while the server cannot be reached. 2 s. */
  readonly retryPeriodMs?: number;
}
/** What became of a renewal. A failed one may be tried again. */
export type Renewal = "renewed" | "failed" | "lost";

/** A lock that one candidate holds at a time. */
export interface Lock {
  /** Takes the lease, which begins a term. False when another candidate holds it, or the server was not reached. */
  tryAcquire(): Promise<boolean>;
  renew(): Promise<Renewal>;
  /** Gives the lease up, so that another candidate need not wait for its end. */
  release(): Promise<void>;
  /** Follows the lease until the signal aborts, so that its changes are known at once. */
  follow(signal: AbortSignal): Promise<void>;
  /** Sleeps until a change of the lease that is not its renewal in the own term, at most for `ms`. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** How long another candidate's lease is valid yet, as far as is known. */
  validMs(): number;
  /** The term that was acquired last, until it is lost. */
  readonly term: LeaseTerm | undefined;
  /** The lease as last seen. */
  readonly lease: Lease | undefined;
}

/** What is known of the lease. */
interface Observed {
  readonly lease: Lease | undefined;
  /** How long another candidate's lease is valid yet. */
  validMs(): number;
  /** Takes note of the lease as it was at a time, unless something newer is known. */
  note(lease: Lease, at: Instant): void;
  /** Takes note that there is none. */
  noteDeletion(): void;
}

/** Nothing is known yet. Validity counts from the last observed change, since timestamps are of other clocks. */
function observed(identity: string, now: () => Instant): Observed {
  let last: Lease | undefined;
  let changedAt = instant(0);
  return {
    get lease() {
      return last;
    },
    validMs() {
      const { holderIdentity = "", leaseDurationSeconds = 0 } = last?.spec ?? {};
      const isFree = holderIdentity === "" || holderIdentity === identity;
      return isFree ? 0 : Math.max(0, changedAt + leaseDurationSeconds * 1000 - now());
    },
    note(lease, at) {
      // The watch may be behind what was read or written.
      if (last && revisionOf(lease) < revisionOf(last)) return;
      if (!sameJson(lease.spec, last?.spec)) changedAt = at;
      last = lease;
    },
    noteDeletion() {
      last = undefined;
    },
  };
}

/** The spec of a lease that begins a term: the transitions increase also when the same identity held the last one. */
function acquired(last: Lease["spec"] | undefined, identity: string, leaseDurationMs: number, now: Instant) {
  const time = microTimestamp(now);
  const leaseTransitions = last ? (last.leaseTransitions ?? 0) + 1 : 0;
  const times = { acquireTime: time, renewTime: time, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000) };
  return { ...last, ...times, holderIdentity: identity, leaseTransitions };
}

/** Sleeps until a notification or an abort, at most for `ms`. */
async function sleepUntil(notified: Signal, clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  const pause = abortedWith(signal);
  const off = notified.listen(pause.end);
  await clock.sleep(ms, pause.signal).catch(() => {});
  off();
  pause.end();
}

/** The lock of a candidate, which is not held yet. */
export function leaseLock(options: ElectionOptions, client: Client, world: World): Lock {
  const { namespace, name, identity, leaseDurationMs = 15_000 } = options;
  const { clock } = world;
  const place = key(namespace, name);
  const known = observed(identity, clock.now);
  const changed = newSignal();
  let term: LeaseTerm | undefined;
  const isOurs = (): boolean => !!known.lease && !!term && isInTerm(known.lease, term);
  const read = async (): Promise<void> => {
    const found = await ifFound(client.get(leases, place));
    if (found) known.note(found, clock.now());
    else known.noteDeletion();
  };
  const write = async (spec: Lease["spec"], at: Instant): Promise<Lease> => {
    const lease = known.lease
      ? await client.update(leases, { ...known.lease, spec })
      : await client.create(leases, { kind: "Lease", metadata: { name, namespace }, spec });
    known.note(lease, at);
    return lease;
  };
  const acquire = async (): Promise<boolean> => {
    await read();
    if (known.validMs() > 0) return false;
    const now = clock.now();
    term = termOf(await write(acquired(known.lease?.spec, identity, leaseDurationMs, now), now));
    return true;
  };
  /** Changes the lease in its term, which it keeps. */
  const amend = async (change: Lease["spec"]): Promise<Renewal> => {
    const now = clock.now();
    const amended = (): Promise<Lease> =>
      write({ ...known.lease!.spec, ...change, renewTime: microTimestamp(now) }, now);
    // The leader has the latest version, usually; otherwise the next lines read it.
    if (isOurs() && (await succeeds(amended()))) return "renewed";
    await read();
    if (!isOurs()) return "lost";
    await amended();
    return "renewed";
  };
  const logged =
    <T>(result: T) =>
    (e: unknown): T => {
      world.log("lease not acquired", { lease: place, error: (e as Error).message });
      return result;
    };
  return {
    get lease() {
      return known.lease;
    },
    get term() {
      return term;
    },
    validMs: known.validMs,
    tryAcquire: () => acquire().catch(logged(false)),
    renew: () => amend({}).catch(logged<Renewal>("failed")),
    async release() {
      const released = { holderIdentity: "", leaseDurationSeconds: 1, acquireTime: microTimestamp(clock.now()) };
      // When this fails, candidates wait for the end of the lease.
      if (isOurs()) await amend(released).catch(() => {});
    },
    follow(signal) {
      const selection = { namespace, fieldSelector: `metadata.name=${name}` };
      const view = informer(client, leases, world, { selection });
      view.onChange((lease, _, type) => {
        if (type === "deleted") known.noteDeletion();
        else known.note(lease, clock.now());
        if (!isOurs()) changed.notify();
      });
      return view.run(signal);
    },
    sleep: (ms, signal) => sleepUntil(changed, clock, ms, signal),
  };
}
