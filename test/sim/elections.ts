// Three controller managers, each with an API server and a clock of its own, of which one leads. The leader is paused
// and resumed, or cut off. Rules: no write is committed after its leader's term, and another candidate leads soon.
import { type Lease, leases } from "../../api/coordination/leases.ts";
import { instant } from "../../api/meta.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import type { AddressRanges } from "../../apiserver/admission/services.ts";
import { objectOf, prefixOf } from "../../apiserver/registry/codec.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { isWrite, type Storage, type Write } from "../../apiserver/storage/storage.ts";
import { jobs } from "../../api/batch/jobs.ts";
import { pods } from "../../api/core/pods.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { runAsLeader } from "../../machinery/leader-election.ts";
import { isInTerm, type LeaseTerm } from "../../machinery/lease-term.ts";
import type { Clock, World } from "../../machinery/world.ts";
import { type Authorized, identityOf } from "./identities.ts";
import type { Judge } from "./judge.ts";
import { sharedLoad } from "./load.ts";
import { flaky, type LateVerb, type Network, type SimulatedWorld } from "./network.ts";
import { oneOf } from "./workloads/workload.ts";

/** Short, so that a life has many terms. */
const election = {
  ...{ namespace: "kube-system", name: "kube-controller-manager" },
  ...{ leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 500 },
};
const leaseKey = `${prefixOf(leases)}${election.namespace}/${election.name}`;
const latePrefixes = [prefixOf(pods), prefixOf(jobs)];
/** The time without a leader, while a candidate is able to lead: the lease expires, and some requests are lost. */
const mostMsWithoutLeader = 3 * election.leaseDurationMs;

const [deposed, leaderless] = ["write of a deposed leader", "no leader"] as const;
export const electionRules: readonly string[] = [deposed, leaderless];

/** A process that can be stopped between any two of its steps, and goes on later without noticing. */
interface Pausable {
  /** Settles when the process runs. */
  runs(): Promise<void>;
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;
}
function pausable(): Pausable {
  let paused: PromiseWithResolvers<void> | undefined;
  return {
    runs: async () => paused?.promise,
    pause() {
      paused ??= Promise.withResolvers();
    },
    resume() {
      paused?.resolve();
      paused = undefined;
    },
    get isPaused() {
      return paused !== undefined;
    },
  };
}

/** A clock that is wrong by an offset and runs too fast or too slow, and shows a pause only by its time. */
const skewed = (clock: Clock, { runs }: Pausable, offset: number, rate: number): Clock => ({
  now: () => instant(Math.round(clock.now() * rate + offset)),
  sleep: (ms, signal) => clock.sleep(ms / rate, signal).finally(runs),
});

/** Nothing reaches the process while it is paused, and it sends nothing. */
function pausedWith(client: Client, process: Pausable): Client {
  const { runs } = process;
  const call = async <T>(send: () => Promise<T>): Promise<T> => {
    await runs();
    return send().finally(runs);
  };
  return {
    get: (r, key) => call(() => client.get(r, key)),
    scale: (r, key) => call(() => client.scale(r, key)),
    list: (r, options) => call(() => client.list(r, options)),
    create: (r, draft) => call(() => client.create(r, draft)),
    update: (r, object, part) => call(() => client.update(r, object, part)),
    patch: (r, key, patch, part) => call(() => client.patch(r, key, patch, part)),
    delete: (r, key, options) => call(() => client.delete(r, key, options)),
    revision: (kind) => call(() => client.revision(kind)),
    async *watch(r, options, signal) {
      for await (const event of client.watch(r, options, signal)) {
        await runs();
        yield event;
      }
    },
    metricValues: (query) => call(() => client.metricValues(query)),
    evict: (key, options) => call(() => client.evict(key, options)),
    inTerm: (term) => pausedWith(client.inTerm(term), process),
    asController: (account) => pausedWith(client.asController(account), process),
    inSpan: (span) => pausedWith(client.inSpan(span), process),
  };
}

/** What a write does that arrives after its sender gave up, if that can be of consequence. */
function verbOf({ key, expect, value }: Write): LateVerb | undefined {
  if (!latePrefixes.some((prefix) => key.startsWith(prefix))) return undefined;
  if (expect === 0) return "create";
  return value === null || objectOf({ key, value, created: expect, modified: expect }).metadata.deletionTimestamp
    ? "delete"
    : undefined;
}

/** A storage behind a network: a commit takes time, sometimes longer than a lease lasts. Accuses those after the term. */
function remoteStorage(
  { storage, accuse, late }: Judge,
  { clock, random }: World,
  term: LeaseTerm | undefined,
): Storage {
  const isOver = (): boolean => {
    const lease = storage.received.get(leaseKey);
    return term !== undefined && !(lease && isInTerm(objectOf<Lease>(lease), term));
  };
  return {
    ...storage,
    async commit(...parts) {
      const isSlow = random.next() < 0.02;
      await clock.sleep(random.next() * (isSlow ? 2 * election.leaseDurationMs : 5));
      const verbs = isSlow ? parts.filter(isWrite).map(verbOf) : [];
      for (const verb of verbs) if (verb) late(verb);
      // The storage in memory commits within this call.
      const wasOver = isOver();
      const commit = await storage.commit(...parts);
      if (commit.ok && wasOver) accuse(deposed, `${term!.holder} in term ${term!.transitions}: ${parts[0].key}`);
      return commit;
    },
  };
}

/** A client of an API server of its own. A term has its own registry, so that its commits are distinct. */
function clientOf(stage: Stage, term?: LeaseTerm, account?: string): Client {
  const { judge, world, ranges, authorized } = stage;
  const manager = identityOf("kube-controller-manager", authorized);
  const registry = clusterRegistry(remoteStorage(judge, world, term), world, ranges);
  return {
    ...inProcessClient(registry, {
      measured: sharedLoad(inProcessClient(registry), world.clock),
      identity: account === undefined ? manager : manager.asController(account),
      ...(term && { term }),
    }),
    inTerm: (next) => clientOf(stage, next, account),
    asController: (next) => clientOf(stage, term, next),
  };
}

/** What a candidate runs when it leads. */
type Run = (client: Client, world: World, signal: AbortSignal) => Promise<void>;
export interface Candidate {
  readonly identity: string;
  readonly network: Network;
  /** One life of its process, until it is killed. */
  readonly live: (signal: AbortSignal) => Promise<void>;
  readonly process: () => Pausable | undefined;
  /** Since when it has been able to lead. */
  healthySince: number | undefined;
  isLeading: boolean;
}

interface Stage {
  readonly judge: Judge;
  readonly world: SimulatedWorld;
  readonly ranges: AddressRanges;
  readonly authorized: Authorized;
}

/** A candidate whose clock is wrong in its own way. */
export function candidate(identity: string, network: Network, run: Run, stage: Stage): Candidate {
  const { judge, world } = stage;
  const { clock, random, log } = world;
  const [offset, rate] = [(random.next() - 0.5) * 60_000, 0.97 + random.next() * 0.06];
  // The rate counts from the beginning of the life, not from the epoch.
  const offsetNow = offset + clock.now() * (1 - rate);
  let process: Pausable | undefined;
  const self: Candidate = {
    ...{ identity, network, healthySince: undefined, isLeading: false },
    process: () => process,
    async live(signal) {
      const own = pausable();
      process = own;
      const off = onAbort(signal, () => {
        self.isLeading = false;
        process = undefined;
      });
      const ownWorld: World = { clock: skewed(clock, own, offsetNow, rate), random, log };
      const client = pausedWith(flaky(clientOf(stage), world, network, judge.late, signal), own);
      const lead = async (leading: Client, term: AbortSignal): Promise<void> => {
        self.isLeading = true;
        judge.leads();
        await run(leading, ownWorld, term).finally(() => {
          if (process === own) self.isLeading = false;
        });
      };
      await runAsLeader({ ...election, identity }, client, ownWorld, lead, signal).finally(off);
    },
  };
  return self;
}

/** Pauses candidates, mostly the one that leads, for longer than its lease lasts, or cuts it off. */
export async function depose(all: readonly Candidate[], { clock, random }: World, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(3_000 + random.next() * 20_000, signal).catch(() => {});
    const leader = all.find(({ isLeading }) => isLeading);
    const chosen = random.next() < 0.8 && leader ? leader : oneOf(all, random)!;
    const process = chosen.process();
    const isCut = random.next() < 0.3;
    if (isCut) chosen.network.down = true;
    else process?.pause();
    await clock.sleep(random.next() * 4 * election.leaseDurationMs, signal).catch(() => {});
    if (isCut) chosen.network.down = false;
    process?.resume();
  }
}

/** Accuses times without a leader while a candidate could lead, until the signal aborts. */
export async function watchForLeader(
  all: readonly Candidate[],
  { judge: { accuse }, world: { clock } }: Pick<Stage, "judge" | "world">,
  signal: AbortSignal,
): Promise<void> {
  let ledAt: number = clock.now();
  while (!signal.aborted) {
    await clock.sleep(500, signal).catch(() => {});
    const now = clock.now();
    for (const one of all) {
      const process = one.process();
      const isHealthy = process !== undefined && !process.isPaused && !one.network.down;
      one.healthySince = isHealthy ? (one.healthySince ?? now) : undefined;
      if (isHealthy && one.isLeading) ledAt = now;
    }
    const able = all.find(({ healthySince = now }) => now - healthySince > mostMsWithoutLeader);
    if (!able || now - ledAt <= mostMsWithoutLeader) continue;
    accuse(leaderless, `for ${now - ledAt} ms, though ${able.identity} was able to lead`);
    ledAt = now;
  }
}
