// Leader election by a Lease: of several candidates one runs the component, and another takes over when it stops
// renewing. Clocks of different machines are never compared. Source: client-go's leader election, coordination/v1.
import { leases } from "../api/coordination/leases.ts";
import { ifFound } from "../api/errors.ts";
import type { Lease } from "../api/generated/types.ts";
import { sameJson } from "../api/hash.ts";
import { type Instant, instant, key, microTimestamp } from "../api/meta.ts";
import { abortedWith, onAbort, succeeds } from "./abort.ts";
import type { Client } from "./client.ts";
import { eventRecorder } from "./events.ts";
import type { World } from "./world.ts";

/** The lease, the identity of the candidate, and durations in milliseconds, by default Kubernetes'. */
interface ElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique among candidates. One that is the same after a restart takes its own lease back at once. */
  readonly identity: string;
  /** How long other candidates wait after the last renewal they saw. 15 s. */
  readonly leaseDurationMs?: number;
  /** How long the leader acts without a successful renewal. 10 s, and always less than the duration. */
  readonly renewDeadlineMs?: number;
  /** Time between attempts. 2 s. */
  readonly retryPeriodMs?: number;
}
/** Candidates wait up to this many times the retry period longer, so that they do not all try at once. */
const jitterFactor = 1.2;

/** A lock that one candidate holds at a time. */
interface Lock {
  /** Takes the lease, or renews it. False when another holds it, or the server could not be reached. */
  tryAcquireOrRenew(): Promise<boolean>;
  /** Gives the lease up, so that another candidate need not wait for its end. */
  release(): Promise<void>;
  /** The lease as last seen. */
  readonly lease: Lease | undefined;
}

function lock(options: ElectionOptions, client: Client, world: World): Lock {
  const { namespace, name, identity, leaseDurationMs = 15_000 } = options;
  let lease: Lease | undefined;
  /** The last observed change of the lease, by the local clock: timestamps of other clocks are not used. */
  let observedAt: Instant = instant(0);
  const observe = (seen: Lease, at: Instant): void => {
    if (!sameJson(seen.spec, lease?.spec)) observedAt = at;
    lease = seen;
  };
  const isOurs = (): boolean => lease?.spec.holderIdentity === identity;
  const isValid = (now: Instant): boolean => now < observedAt + (lease?.spec.leaseDurationSeconds ?? 0) * 1000;
  const specAt = (now: Instant): Lease["spec"] => {
    const time = microTimestamp(now);
    const { acquireTime = time, leaseTransitions = 0, ...rest } = lease?.spec ?? {};
    const held = { holderIdentity: identity, leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000), renewTime: time };
    if (!lease || isOurs()) return { ...rest, ...held, acquireTime, leaseTransitions };
    return { ...rest, ...held, acquireTime: time, leaseTransitions: leaseTransitions + 1 };
  };
  const write = async (spec: Lease["spec"], at: Instant): Promise<void> =>
    observe(await client.update(leases, { ...lease!, spec }), at);
  const acquireOrRenew = async (): Promise<boolean> => {
    const began = world.clock.now();
    // The leader has the latest version, usually; otherwise the next lines read it.
    if (isOurs() && isValid(began) && (await succeeds(write(specAt(began), began)))) return true;
    const found = await ifFound(client.get(leases, key(namespace, name)));
    if (found) observe(found, world.clock.now());
    else {
      lease = undefined;
      const draft = { kind: "Lease", metadata: { name, namespace }, spec: specAt(began) } as const;
      observe(await client.create(leases, draft), began);
      return true;
    }
    const now = world.clock.now();
    if (lease?.spec.holderIdentity && !isOurs() && isValid(now)) return false;
    await write(specAt(now), now);
    return true;
  };
  return {
    get lease() {
      return lease;
    },
    tryAcquireOrRenew: () =>
      acquireOrRenew().catch((e: unknown) => {
        world.log("lease not acquired", { lease: `${namespace}/${name}`, error: (e as Error).message });
        return false;
      }),
    async release() {
      if (!isOurs()) return;
      const now = world.clock.now();
      const time = microTimestamp(now);
      const { leaseTransitions } = lease!.spec;
      const released = { holderIdentity: "", leaseDurationSeconds: 1, renewTime: time, acquireTime: time };
      // When this fails, candidates wait for the end of the lease.
      await write({ ...lease!.spec, ...released, leaseTransitions }, now).catch(() => {});
    },
  };
}

/** Renews until the lease is lost or the signal aborts. `since` is when the lease was last renewed. */
async function renew(held: Lock, options: ElectionOptions, world: World, since: Instant, signal: AbortSignal) {
  const { renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  const { clock } = world;
  let renewedAt = since;
  const left = (): number => renewedAt + renewDeadlineMs - clock.now();
  while (left() > 0) {
    await clock.sleep(Math.min(retryPeriodMs, left()), signal);
    const began = clock.now();
    const attempt = abortedWith(signal);
    const late = clock.sleep(Math.max(0, left()), attempt.signal);
    const deadline = succeeds(late).then(() => false);
    // A renewal that is still under way at the deadline is none.
    const isRenewed = await Promise.race([held.tryAcquireOrRenew(), deadline]);
    attempt.end();
    signal.throwIfAborted();
    if (isRenewed) renewedAt = began;
    else if (held.lease?.spec.holderIdentity !== options.identity) return;
  }
}

/**
 * Runs `lead` whenever the lease is held, until the signal aborts. The signal passed to `lead` aborts when the lease is
 * lost; it must settle soon afterwards. The lease is released when the signal aborts and `lead` has settled. Settles
 * early when `lead` does.
 */
export async function runAsLeader(
  options: ElectionOptions,
  client: Client,
  world: World,
  lead: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { identity, name, retryPeriodMs = 2_000, renewDeadlineMs = 10_000 } = options;
  const held = lock(options, client, world);
  const events = eventRecorder(client, world, { component: name });
  const report = (what: string): void => {
    world.log(`leader election: ${what}`, { lease: name, identity });
    if (held.lease) events.record(held.lease, "Normal", "LeaderElection", `${identity} ${what}`);
  };
  while (!signal.aborted) {
    const began = world.clock.now();
    // If the response took longer than the deadline, the lease may have expired.
    const isHeld = (await held.tryAcquireOrRenew()) && world.clock.now() < began + renewDeadlineMs;
    if (signal.aborted) break;
    if (!isHeld) {
      await world.clock.sleep(retryPeriodMs * (1 + world.random.next() * jitterFactor), signal).catch(() => {});
      continue;
    }
    report("became leader");
    const term = new AbortController();
    const off = onAbort(signal, () => term.abort(signal.reason));
    let isOver = false;
    const leading = lead(term.signal).finally(() => {
      isOver = true;
      term.abort(new Error("the component has ended"));
    });
    // Looked at below; a component may end before its lease does.
    leading.catch(() => {});
    await renew(held, options, world, began, term.signal).catch(() => {});
    off();
    if (!signal.aborted && !isOver) report("stopped leading");
    const wasOver = isOver;
    term.abort(new Error("the lease is lost"));
    await leading.catch((e: unknown) => {
      // An error of a component after its stop is not a failure.
      if (wasOver && !signal.aborted) throw e;
    });
    if (wasOver) break;
  }
  await held.release();
}
