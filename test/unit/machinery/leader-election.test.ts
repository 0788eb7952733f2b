// Leader election: at most one leader under any network faults, and a new one within the lease duration.
import fc from "fast-check";
import { expect, test } from "vitest";
import { leases } from "../../../api/coordination/leases.ts";
import { events } from "../../../api/core/events.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import type { Lease } from "../../../api/generated/types.ts";
import { key } from "../../../api/meta.ts";
import { clusterRegistry } from "../../../apiserver/cluster-registry.ts";
import { inProcessClient } from "../../../apiserver/registry/in-process.ts";
import { memoryStorage } from "../../../apiserver/storage/log.ts";
import type { Client } from "../../../machinery/client.ts";
import { runAsLeader } from "../../../machinery/leader-election.ts";
import { flaky, type Network, type SimulatedWorld } from "../../sim/network.ts";
import { beginning, seeded, virtualClock } from "../../sim/virtual-clock.ts";

const lease = { namespace: "kube-system", name: "kube-controller-manager" };
const seconds = (at: number): number => (at - beginning) / 1000;

/** A period in which a candidate led. */
interface Term {
  readonly identity: string;
  readonly from: number;
  to: number | undefined;
}

async function stage(seed: number) {
  const clock = virtualClock();
  const world: SimulatedWorld = { clock, random: seeded(seed), log: () => {} };
  const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };
  const client = inProcessClient(clusterRegistry(memoryStorage(), world, ranges));
  await client.create(namespaces, { kind: "Namespace", metadata: { name: "kube-system" } } as never);
  const terms: Term[] = [];
  const lead = (identity: string) => async (_: Client, signal: AbortSignal) => {
    const term: Term = { identity, from: clock.now(), to: undefined };
    terms.push(term);
    await clock.sleep(1e9, signal).catch(() => {});
    term.to = clock.now();
  };
  /** A candidate with its own network. */
  const candidate = (identity: string, through: Client = client, name = identity) => {
    const stop = new AbortController();
    const done = runAsLeader({ ...lease, identity }, through, world, lead(name), stop.signal);
    return { stop: () => stop.abort(new Error("stopped")), done };
  };
  const pass = (until: number): Promise<void> => clock.run(beginning + until * 1000);
  const current = (): Promise<Lease> => client.get(leases, key(lease.namespace, lease.name));
  return { clock, world, client, terms, candidate, pass, current };
}

test("leader election: the first candidate leads immediately, with a lease and an event", async () => {
  const { candidate, pass, current, terms, client } = await stage(1);
  candidate("a");
  await pass(5);
  candidate("b");
  await pass(60);
  expect(terms.map((t) => [t.identity, seconds(t.from), t.to])).toEqual([["a", 0, undefined]]);
  const { spec } = await current();
  expect(spec).toMatchObject({ holderIdentity: "a", leaseDurationSeconds: 15, leaseTransitions: 0 });
  expect(spec.acquireTime).toBe("2026-01-01T00:00:00.000000Z");
  expect(seconds(Date.parse(spec.renewTime!))).toBeGreaterThanOrEqual(58);
  expect((await client.list(events)).items.map((e) => [e.reason, e.message])).toEqual([
    ["LeaderElection", "a became leader"],
  ]);
});

test("leader election: a leader that stops releases the lease, and another leads before it expires", async () => {
  const { candidate, pass, current, terms } = await stage(2);
  const first = candidate("a");
  await pass(5);
  candidate("b");
  await pass(20);
  first.stop();
  await first.done;
  expect((await current()).spec).toMatchObject({ holderIdentity: "", leaseDurationSeconds: 1 });
  await pass(25);
  expect(terms.map((t) => t.identity)).toEqual(["a", "b"]);
  expect(seconds(terms[1]!.from)).toBeLessThan(25);
  expect((await current()).spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
});

test("leader election: a restarted candidate reacquires its lease immediately", async () => {
  const { candidate, pass, terms, client } = await stage(3);
  const dead = { ...client, update: () => new Promise<never>(() => {}) };
  candidate("a", dead, "a before");
  await pass(3);
  candidate("a", client, "a after");
  await pass(4);
  expect(terms.map((t) => t.identity)).toEqual(["a before", "a after"]);
});

test("leader election: expiry depends on observed changes of the lease, not on its times", async () => {
  const { candidate, pass, terms, client } = await stage(4);
  const future = "2099-01-01T00:00:00.000000Z";
  const spec = { holderIdentity: "ghost", leaseDurationSeconds: 15, acquireTime: future, renewTime: future };
  await client.create(leases, { kind: "Lease", metadata: lease, spec: { ...spec, leaseTransitions: 7 } });
  candidate("a");
  await pass(14);
  expect(terms).toEqual([]);
  await pass(20);
  expect(terms.map((t) => t.identity)).toEqual(["a"]);
});

test("leader election: the election ends with the body, and its error is rethrown", async () => {
  const { client, world, pass } = await stage(5);
  const ended = runAsLeader(
    { ...lease, identity: "a" },
    client,
    world,
    async () => {
      throw new Error("broken");
    },
    new AbortController().signal,
  );
  const failure = expect(ended).rejects.toThrow("broken");
  await pass(5);
  await failure;
});

test("leader election: a deposed leader learns it from a refused write, before its renewal", async () => {
  const { client, world, pass, clock } = await stage(6);
  const ended: number[] = [];
  const lead = async (leading: Client, signal: AbortSignal): Promise<void> => {
    await clock.sleep(100);
    const taken = await client.get(leases, key(lease.namespace, lease.name));
    // The watch shows this only later.
    await client.update(leases, { ...taken, spec: { ...taken.spec, holderIdentity: "b", leaseTransitions: 1 } });
    await leading.create(namespaces, { kind: "Namespace", metadata: { name: "late" } } as never).catch(() => {});
    expect(signal.aborted).toBe(true);
    ended.push(seconds(clock.now()));
  };
  const blind: Client = { ...client, watch: async function* () {} };
  void runAsLeader({ ...lease, identity: "a" }, blind, world, lead, new AbortController().signal);
  await pass(5);
  expect(ended).toEqual([0.1]);
});

test("leader election: every acquisition begins a new term, also by the same identity", async () => {
  const { candidate, pass, current } = await stage(7);
  for (const transitions of [0, 1, 2]) {
    const only = candidate("a");
    await pass(transitions + 1);
    expect((await current()).spec).toMatchObject({ holderIdentity: "a", leaseTransitions: transitions });
    only.stop();
    await only.done;
  }
});

test("leader election: a released lease is taken at once", async () => {
  const { candidate, pass, terms } = await stage(8);
  const first = candidate("a");
  await pass(1);
  candidate("b");
  await pass(9.5);
  first.stop();
  await first.done;
  await pass(9.6);
  expect(terms.map((t) => [t.identity, seconds(t.from)])).toEqual([
    ["a", 0],
    ["b", 9.5],
  ]);
});

/** Candidate `a` leads behind a network, which is returned; `b` waits for its lease to end. */
async function leaderAndNext({ client, world, candidate, pass }: Awaited<ReturnType<typeof stage>>): Promise<Network> {
  const network: Network = { latencyMs: 20, timeoutMs: 1_000, loss: 0, lateness: 0, down: false };
  candidate(
    "a",
    flaky(client, world, network, () => {}),
  );
  await pass(1);
  candidate("b");
  await pass(30);
  return network;
}

test("leader election: another candidate leads when the lease expires, no sooner and hardly later", async () => {
  const staged = await stage(9);
  const { client, pass, terms } = staged;
  const network = await leaderAndNext(staged);
  const renewed = seconds(Date.parse((await client.get(leases, key(lease.namespace, lease.name))).spec.renewTime!));
  network.down = true;
  await pass(60);
  const after = seconds(terms[1]!.from) - renewed;
  expect(after).toBeGreaterThanOrEqual(15);
  expect(after).toBeLessThan(15.1);
});

/** Terms do not overlap. */
function judged(terms: readonly Term[], end: number): void {
  for (const [i, term] of terms.entries()) {
    const next = terms[i + 1];
    if (next) expect(next.from).toBeGreaterThanOrEqual(term.to ?? end + 1);
  }
}

test("leader election: never two leaders, with any network faults and crashed candidates", async () => {
  const cut = fc.record({ who: fc.nat(2), at: fc.integer({ min: 1, max: 200 }), for: fc.integer({ min: 1, max: 60 }) });
  const life = fc.record({
    seed: fc.nat(1e6),
    loss: fc.double({ min: 0, max: 0.4, noNaN: true }),
    cuts: fc.array(cut),
  });
  await fc.assert(
    fc.asyncProperty(life, async ({ seed, loss, cuts }) => {
      const { clock, world, client, terms, candidate, pass } = await stage(seed);
      const networks = ["a", "b", "c"].map((identity) => {
        const network: Network = { latencyMs: 20, timeoutMs: 3_000, loss, lateness: loss / 2, down: false };
        candidate(
          identity,
          flaky(client, world, network, () => {}),
        );
        return network;
      });
      for (const { who, at, for: lasting } of cuts) {
        clock.after(at * 1000, () => Object.assign(networks[who]!, { down: true }));
        clock.after((at + lasting) * 1000, () => Object.assign(networks[who]!, { down: false }));
      }
      await pass(300);
      judged(terms, clock.now());
      for (const network of networks) Object.assign(network, { loss: 0, lateness: 0, down: false });
      await pass(300 + 40);
      judged(terms, clock.now());
      expect(terms.at(-1)?.to).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});

test("leader election: a partitioned leader stops within ten seconds, and another leads within 25", async () => {
  for (let seed = 1; seed < 40; seed++) {
    const staged = await stage(seed);
    const { pass, terms } = staged;
    const network = await leaderAndNext(staged);
    network.down = true;
    await pass(60);
    expect(terms.map((t) => t.identity)).toEqual(["a", "b"]);
    const [first, second] = terms;
    expect(seconds(first!.to!)).toBeLessThanOrEqual(40);
    expect(seconds(second!.from)).toBeLessThanOrEqual(55);
  }
});
