// A whole cluster in one process, under a virtual clock: twelve minutes of its life in a blink. Same seed, same
// history.
import { createHash } from "node:crypto";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import type { Pod } from "../../api/generated/types.ts";
import { key, keyOf } from "../../api/meta.ts";
import { bootstrap } from "../../apiserver/bootstrap/objects.ts";
import { inProcessClient } from "../../apiserver/registry/in-process.ts";
import { clusterRegistry } from "../../apiserver/cluster-registry.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { runControllers } from "../../controllers/controllers.ts";
import type { DecisionLog } from "../../machinery/decisions.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { runAsLeader } from "../../machinery/leader-election.ts";
import { informer } from "../../machinery/informer.ts";
import type { Log, World } from "../../machinery/world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import { candidate, depose, electionRules, watchForLeader } from "./elections.ts";
import { type Fact, type Judge, type Violation, judged } from "./judge.ts";
import { type Network, type SimulatedWorld, flaky } from "./network.ts";
import { type LivePods, runAgent } from "./node-agent.ts";
import { type VirtualClock, beginning, seeded, virtualClock } from "./virtual-clock.ts";
import { cronJobWorkload } from "./workloads/cronjobs.ts";
import { daemonSetWorkload } from "./workloads/daemonsets.ts";
import { deploymentWorkload } from "./workloads/deployments.ts";
import { jobWorkload } from "./workloads/jobs.ts";
import { nodeWorkload } from "./workloads/nodes.ts";
import { podRules } from "./workloads/pods.ts";
import { quotaWorkload } from "./workloads/quotas.ts";
import { userGraceSeconds } from "./workloads/readiness.ts";
import { statefulSetWorkload } from "./workloads/statefulsets.ts";
import { oneOf, type Workload } from "./workloads/workload.ts";

export interface Scenario {
  readonly seed: number;
  /** Minutes of trouble; two more of peace follow. */
  readonly minutes?: number;
  readonly nodes?: number;
  readonly loss?: number;
  readonly lateness?: number;
  /** Chance that a container crashes, each time the node looks. */
  readonly crashRate?: number;
  /** Everything a user and the fates may do; switched off to show what each costs. */
  readonly trouble?: boolean;
  /** One controller manager, without an election; otherwise there are two, of which one leads. */
  readonly single?: true;
  /** Three controller managers whose leader is paused and cut off; otherwise only killed and cut off as any other. */
  readonly elections?: true;
  /** Replaces the workloads that the seed draws. */
  readonly workloads?: readonly WorkloadName[];
  /** Receives what components log; for looking at one seed. */
  readonly log?: Log;
  /** Called for every commit. */
  readonly fact?: (fact: Fact) => void;
  /** Called for every violation, at once. */
  readonly violation?: (violation: Violation) => void;
  /** Called for every decision of a controller. */
  readonly decided?: (decision: Decided) => void;
}
type Decided = Parameters<DecisionLog["record"]>[0];
export interface Life {
  readonly hash: string;
  readonly commits: number;
  readonly violations: readonly Violation[];
  /** Objects that are not as desired after two minutes of peace, and how they are. */
  readonly unsettled: readonly string[];
}

type Part = (client: Client, signal: AbortSignal) => Promise<unknown>;
/** Something that can be killed and started again. */
interface Process {
  readonly network: Network;
  restart(awayMs: number): Promise<void>;
}

function processes(
  world: World,
  connect: (network: Network, life: AbortSignal) => Client,
  end: AbortSignal,
): { readonly start: (part: Part, network: Network) => Process } {
  return {
    start(part, network) {
      let life = new AbortController();
      const begin = (): void => {
        life = new AbortController();
        const own = life;
        onAbort(end, () => own.abort(end.reason));
        part(connect(network, own.signal), own.signal).catch(() => {});
      };
      begin();
      return {
        network,
        async restart(awayMs) {
          life.abort(new Error("killed"));
          await world.clock.sleep(awayMs, end);
          begin();
        },
      };
    },
  };
}

const schedulerPart =
  (world: World): Part =>
  (client, signal) => {
    const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
    return Promise.all([
      runScheduler(views, client, world, { plugins: defaultPlugins() }, signal),
      views.pods.run(signal),
      views.nodes.run(signal),
    ]);
  };
export const controllerOptions = {
  rootCa: "the certificate of the authority",
  clusterCidr: "10.244.0.0/16",
  nodeGraceMs: 20_000,
  autoscaler: { periodMs: 15_000, shrinkWindowSeconds: 300 },
  workers: 2,
};
type Run = (client: Client, world: World, signal: AbortSignal) => Promise<void>;
const controllersOf =
  (decided: Scenario["decided"]): Run =>
  (client, world, signal) => {
    const decisions = decided && { record: decided, of: () => [] };
    return runControllers(client, world, { ...controllerOptions, ...(decisions && { decisions }) }, signal);
  };

/** A controller manager, which works while it holds the lease. */
const electedPart =
  (world: World, identity: string, leaders: Leaders, run: Run): Part =>
  (client, signal) => {
    const election = { namespace: "kube-system", name: "kube-controller-manager", identity };
    const lead = async (leading: Client, term: AbortSignal): Promise<void> => {
      leaders.began(identity);
      const off = onAbort(term, () => leaders.ended(identity));
      await run(leading, world, term).finally(off);
    };
    return runAsLeader(election, client, world, lead, signal);
  };

/** Who leads at the moment, which must be one at most. */
interface Leaders {
  began(identity: string): void;
  ended(identity: string): void;
}
function countedLeaders(accuse: (what: string) => void): Leaders {
  const now = new Set<string>();
  return {
    began(identity) {
      if (now.size > 0) accuse(`${identity} beside ${[...now].join()}`);
      now.add(identity);
    },
    ended: (identity) => void now.delete(identity),
  };
}

/** What runs on the nodes, whatever the server knows of it: at most one pod of each name. */
function livePods(accuse: (what: string) => void): LivePods {
  const live = new Map<string, Set<string>>();
  const of = (pod: Pod): Set<string> => {
    const name = keyOf(pod);
    const uids = live.get(name) ?? new Set();
    live.set(name, uids);
    return uids;
  };
  return {
    started(pod) {
      if (of(pod).add(pod.metadata.uid).size > 1) accuse(pod.metadata.name);
    },
    ended: (pod) => void of(pod).delete(pod.metadata.uid),
  };
}

const drawn = {
  deployments: deploymentWorkload,
  statefulsets: statefulSetWorkload,
  daemonsets: daemonSetWorkload,
  jobs: jobWorkload,
  cronjobs: cronJobWorkload,
  quotas: quotaWorkload,
};
/** Lives with an autoscaler of nodes are run on their own. */
const workloads = { ...drawn, nodes: nodeWorkload };
export type WorkloadName = keyof typeof workloads;
/** Deployments are in every life, the others in some. */
const drawnWorkloads = ({ random }: World): readonly WorkloadName[] =>
  (Object.keys(drawn) as readonly WorkloadName[]).filter((name) => name === "deployments" || random.next() < 0.5);

/** The names of all rules. */
export const allRules: readonly string[] = [
  ...electionRules,
  "two leaders",
  "two live pods of a name",
  ...[...podRules, ...Object.values(workloads).flatMap((w) => w.rules())].flatMap(({ name }) => name || []),
  ...Object.values<Workload>(workloads).flatMap(({ accusations = [] }) => accusations),
];

/** What a user does, drawn from the seed: to a workload, or to any pod. */
async function meddle(user: Client, { random }: World, workloads: readonly Workload[]): Promise<void> {
  if (random.next() < 0.8) return void (await oneOf(workloads, random)?.meddle(user, random));
  const pod = oneOf((await user.list(pods, { namespace: "default" })).items, random);
  if (pod) await user.delete(pods, key("default", pod.metadata.name), { gracePeriodSeconds: userGraceSeconds });
}

async function trouble(
  user: Client,
  world: World,
  { parts, workloads }: { readonly parts: readonly Process[]; readonly workloads: readonly Workload[] },
  signal: AbortSignal,
): Promise<void> {
  /** The server is away for all of them, or one of them is cut off from it, while life goes on. */
  const cut = async (networks: readonly Network[], ms: number): Promise<void> => {
    for (const network of networks) network.down = true;
    await world.clock.sleep(ms, signal);
    for (const network of networks) network.down = false;
  };

  while (!signal.aborted) {
    await world.clock.sleep(5_000 + world.random.next() * 60_000, signal);
    const dice = world.random.next();
    if (dice < 0.55) await meddle(user, world, workloads).catch(() => {});
    else if (dice < 0.8)
      // Most are back soon, while what they sent is still on its way.
      await oneOf(parts, world.random)!.restart(world.random.next() ** 3 * 60_000);
    else if (dice < 0.85)
      await cut(
        parts.map((part) => part.network),
        world.random.next() * 10_000,
      );
    else cut([oneOf(parts, world.random)!.network], world.random.next() * 90_000).catch(() => {});
  }
}

const ranges = { serviceCidr: "10.96.0.0/16", nodePorts: { from: 30_000, to: 32_767 } };

/** What a life is made of, beside what its scenario says. */
interface Stage {
  readonly clock: VirtualClock;
  readonly world: SimulatedWorld;
  readonly judge: Judge;
  readonly workloads: readonly Workload[];
}

const peace = { loss: 0, lateness: 0 };

async function live(scenario: Scenario, { clock, world, judge, workloads }: Stage): Promise<void> {
  const { minutes = 10, nodes: count = 3, loss = 0.02, lateness = 0.005 } = scenario;
  const user = inProcessClient(clusterRegistry(judge.storage, world, ranges));
  await bootstrap(user, { address: "10.0.0.1", port: 6443, serviceCidr: "10.96.0.0/16" });
  const chaos = new AbortController();
  const faults = (): Pick<Network, "loss" | "lateness"> => (chaos.signal.aborted ? peace : { loss, lateness });
  const network = (): Network => ({ latencyMs: 20, timeoutMs: 1_000, ...faults(), down: false });
  const end = new AbortController();
  let crashRate = scenario.crashRate ?? 0.01;
  const { start: begin } = processes(world, (own, life) => flaky(user, world, own, judge.late, life), end.signal);
  const start = (part: Part): Process => begin(part, network());
  const live = livePods((what) => judge.accuse("two live pods of a name", what));
  const node =
    (nodeName: string, gone?: AbortSignal): Part =>
    async (client, signal) => {
      if (gone?.aborted) return;
      const options = { nodeName, cpu: "600m", leaseMs: 10_000, crashRate: () => crashRate, live };
      await runAgent(options, client, world, gone ? AbortSignal.any([signal, gone]) : signal);
    };
  const nodeNames = Array.from({ length: count }, (_, i) => `node-${i}`);
  const agents = nodeNames.map((name) => start(node(name)));
  const leaders = countedLeaders((what) => judge.accuse("two leaders", what));
  const run = controllersOf(scenario.decided);
  const candidates = scenario.elections
    ? [0, 1, 2].map((i) => candidate(`manager-${i}`, network(), run, { judge, world, ranges }))
    : [];
  const managers = scenario.elections
    ? candidates.map((one) => begin((_, signal) => one.live(signal), one.network))
    : scenario.single
      ? [start((client, signal) => run(client, world, signal))]
      : ["manager-0", "manager-1"].map((identity) => start(electedPart(world, identity, leaders, run)));
  const parts = [...managers, start(schedulerPart(world)), ...agents];
  const startNode = (name: string): (() => void) => {
    const gone = new AbortController();
    parts.push(start(node(name, gone.signal)));
    return () => gone.abort(new Error("removed"));
  };
  const ground = { world, nodeNames, startNode, accuse: judge.accuse, decided: scenario.decided };
  for (const { component } of workloads)
    if (component) parts.push(start(component({ ...ground, isPeaceful: () => chaos.signal.aborted })));
  for (const { begin } of workloads) await begin(user);
  if (scenario.trouble !== false) trouble(user, world, { parts, workloads }, chaos.signal).catch(() => {});
  if (scenario.elections) {
    depose(candidates, world, chaos.signal).catch(() => {});
    watchForLeader(candidates, { judge, world, ranges }, end.signal).catch(() => {});
  }
  await clock.run(beginning + minutes * 60_000);
  // The network heals, nothing crashes any more, and the cluster has to find its way home.
  chaos.abort(new Error("peace"));
  for (const part of parts) Object.assign(part.network, { ...peace, down: false });
  crashRate = 0;
  for (const { heal } of workloads) await heal?.(user);
  await clock.run(beginning + (minutes + 2) * 60_000);
  end.abort(new Error("the end"));
}

/** The hash of all facts, taken in pieces of many: each call of the hash has a price. */
function hashOfHistory(): { add(fact: Fact): void; digest(): string } {
  const hash = createHash("sha256");
  let pieces: Uint8Array[] = [];
  const hashPieces = (): void => {
    hash.update(Buffer.concat(pieces));
    pieces = [];
  };
  return {
    add({ at, revision, key, value }) {
      pieces.push(Buffer.from(`${at} ${revision} ${key} `), value ?? Buffer.from("-"));
      if (pieces.length >= 400) hashPieces();
    },
    digest() {
      hashPieces();
      return hash.digest("hex");
    },
  };
}

export async function simulate(scenario: Scenario): Promise<Life> {
  const history = hashOfHistory();
  const clock = virtualClock();
  const world: SimulatedWorld = { clock, random: seeded(scenario.seed), log: scenario.log ?? (() => {}) };
  const present = (scenario.workloads ?? drawnWorkloads(world)).map((name) => workloads[name]);
  const rules = [...podRules, ...present.flatMap((w) => w.rules())];
  const judge = judged(memoryStorage(), rules, [nodes, ...present.flatMap((w) => w.kinds)], {
    now: () => clock.now() - beginning,
    fact(fact) {
      history.add(fact);
      scenario.fact?.(fact);
    },
    violation: (violation) => scenario.violation?.(violation),
  });
  await live(scenario, { clock, world, judge, workloads: present });
  return {
    hash: history.digest(),
    commits: judge.commits,
    violations: judge.violations,
    unsettled: present.flatMap((w) => w.unsettled(judge.committed)),
  };
}
