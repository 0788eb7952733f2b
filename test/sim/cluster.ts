// A whole cluster in one process, under a virtual clock: twelve minutes of its life in a blink. Same seed, same
// history.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { key } from "../../api/meta.ts";
import { bootstrap } from "../../apiserver/bootstrap/objects.ts";
import { memoryStorage } from "../../apiserver/storage/log.ts";
import { runControllers } from "../../controllers/controllers.ts";
import type { DecisionLog } from "../../machinery/decisions.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { runAsLeader } from "../../machinery/leader-election.ts";
import type { Log, World } from "../../machinery/world.ts";
import { candidate, depose, electionRules, watchForLeader } from "./elections.ts";
import { hotLoops, orphansLeft } from "./ending.ts";
import { type Authorized, identityOf, requestText } from "./identities.ts";
import { nodeControls } from "./node-controls.ts";
import { compacting, duplicating, type Faults, mortal, skewed, usualFaults } from "./faults.ts";
import { type Fact, type Judge, type Violation, judged } from "./judge.ts";
import { type Network, type SimulatedWorld, flaky } from "./network.ts";
import { schedulerPart } from "./scheduler-part.ts";
import { type StorageSystem, storageSystem } from "./storage-system.ts";
import { livePods } from "./live-pods.ts";
import { runAgent } from "./node-agent.ts";
import { ranges, type SimulatedServer, simulatedServer } from "./user.ts";
import { type VirtualClock, beginning, seeded, virtualClock } from "./virtual-clock.ts";
import { attachableWorkload } from "./workloads/attachables.ts";
import { autoscalerWorkload } from "./workloads/autoscalers.ts";
import { budgetWorkload } from "./workloads/budgets.ts";
import { claimWorkload } from "./workloads/claims.ts";
import { cronJobWorkload } from "./workloads/cronjobs.ts";
import { daemonSetWorkload } from "./workloads/daemonsets.ts";
import { deviceWorkload } from "./workloads/devices.ts";
import { deploymentWorkload } from "./workloads/deployments.ts";
import { gangWorkload } from "./workloads/gangs.ts";
import { jobWorkload } from "./workloads/jobs.ts";
import { nodeRules } from "./workloads/lost-nodes.ts";
import { ownerWorkload } from "./workloads/owners.ts";
import { nodeWorkload } from "./workloads/nodes.ts";
import { policyWorkload } from "./workloads/policies.ts";
import { placementWorkload } from "./workloads/placement.ts";
import { podRules } from "./workloads/pods.ts";
import { quotaWorkload } from "./workloads/quotas.ts";
import { rebalancingWorkload } from "./workloads/rebalancing.ts";
import { userGraceSeconds } from "./workloads/readiness.ts";
import { serviceWorkload } from "./workloads/services.ts";
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
  /** Everything that users, crashes and outages may do; switched off to show what each costs. */
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
  /** Called for every request of a component of the control plane. */
  readonly authorized?: Authorized;
}
type Decided = Parameters<DecisionLog["record"]>[0];
export interface Life {
  readonly commits: number;
  readonly violations: readonly Violation[];
  /** Objects that are not as desired after two minutes of peace, and how they are. */
  readonly unsettled: readonly string[];
}

type Part = (client: Client, signal: AbortSignal) => Promise<unknown>;
/** What a process is, and its network. A process that is no component of the control plane may do everything. */
interface Peer {
  readonly network: Network;
  readonly component?: string;
}
/** Connects a process, with its own end and what it can die of. */
type Connect = (peer: Peer, life: AbortSignal, die: () => void) => Client;
/** Something that can be killed and started again. */
interface Process {
  readonly network: Network;
  restart(awayMs: number): Promise<void>;
}

function processes(
  world: World,
  connect: Connect,
  end: AbortSignal,
): { readonly start: (part: Part, peer: Peer) => Process } {
  return {
    start(part, peer) {
      let life = new AbortController();
      const begin = (): void => {
        life = new AbortController();
        const own = life;
        onAbort(end, () => own.abort(end.reason));
        const die = (): void => void restart(world.random.next() ** 3 * 10_000).catch(() => {});
        part(connect(peer, own.signal, die), own.signal).catch(() => {});
      };
      const restart = async (awayMs: number): Promise<void> => {
        // One that is away already comes back once.
        if (life.signal.aborted) return;
        life.abort(new Error("killed"));
        await world.clock.sleep(awayMs, end);
        begin();
      };
      begin();
      return { network: peer.network, restart };
    },
  };
}

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

/** One controller manager alone, or two of which one leads. */
const managerParts = ({ single }: Scenario, run: Run, leaders: Leaders): readonly ((own: World) => Part)[] =>
  single
    ? [(own) => (client, signal) => run(client, own, signal)]
    : ["manager-0", "manager-1"].map((identity) => (own: World) => electedPart(own, identity, leaders, run));

/** Who leads at the moment, which must be one at most. */
interface Leaders {
  began(identity: string): void;
  ended(identity: string): void;
}
function countedLeaders({ accuse, leads }: Judge): Leaders {
  const now = new Set<string>();
  return {
    began(identity) {
      leads();
      if (now.size > 0) accuse("two leaders", `${identity} beside ${[...now].join()}`);
      now.add(identity);
    },
    ended: (identity) => void now.delete(identity),
  };
}

const drawn = {
  deployments: deploymentWorkload,
  statefulsets: statefulSetWorkload,
  daemonsets: daemonSetWorkload,
  jobs: jobWorkload,
  cronjobs: cronJobWorkload,
  quotas: quotaWorkload,
  budgets: budgetWorkload,
  autoscalers: autoscalerWorkload,
  owners: ownerWorkload,
  claims: claimWorkload,
  services: serviceWorkload,
  placement: placementWorkload,
};
/** Lives with an autoscaler of nodes, a descheduler, devices, pod groups or network policies are run on their own. */
const workloads = {
  ...drawn,
  ...{
    attachables: attachableWorkload,
    nodes: nodeWorkload,
    rebalancing: rebalancingWorkload,
    devices: deviceWorkload,
    gangs: gangWorkload,
    policies: policyWorkload,
  },
};
export type WorkloadName = keyof typeof workloads;
/** Deployments are in every life, the others in some; volumes belong to nodes, or are attached to them. */
const drawnWorkloads = ({ random }: World): readonly WorkloadName[] =>
  (Object.keys(drawn) as readonly WorkloadName[])
    .filter((name) => name === "deployments" || random.next() < (name === "placement" ? 0.15 : 0.28))
    .map((name) => (name === "claims" && random.next() < 0.5 ? "attachables" : name));

const noStorage = storageSystem(undefined as never, undefined as never);
const forbidden = "request without a right";
/** The names of all rules. */
export const allRules: readonly string[] = [
  ...electionRules,
  "two leaders",
  "two live pods of a name",
  "orphan left",
  "hot loop",
  forbidden,
  ...[...podRules, ...nodeRules(), ...Object.values(workloads).flatMap((w) => w.rules(noStorage))].flatMap(
    ({ name }) => name || [],
  ),
  ...Object.values<Workload>(workloads).flatMap(({ accusations = [] }) => accusations),
];

/** What a user does, drawn from the seed: to a workload, or to any pod. */
async function meddle(user: Client, { random, clock }: World, workloads: readonly Workload[]): Promise<void> {
  if (random.next() < 0.8) return void (await oneOf(workloads, random)?.meddle(user, random, clock));
  const pod = oneOf((await user.list(pods, { namespace: "default" })).items, random);
  if (pod) await user.delete(pods, key("default", pod.metadata.name), { gracePeriodSeconds: userGraceSeconds });
}

interface Cast {
  readonly parts: readonly Process[];
  readonly agents: readonly Process[];
  readonly workloads: readonly Workload[];
}
async function trouble(
  user: Client,
  world: World,
  { parts, agents, workloads }: Cast,
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
    else if (dice < 0.88)
      // All nodes are lost, while those that watch them are not.
      await cut(
        agents.map((part) => part.network),
        30_000 + world.random.next() * 60_000,
      );
    else cut([oneOf(parts, world.random)!.network], world.random.next() * 90_000).catch(() => {});
  }
}

/** Until some seconds after a full minute, at which cron jobs start and replace others. */
const peaceMs = 125_000;
/** The last part of peace, in which nothing is written any more. */
const quietMs = 30_000;
/** Within which dependents of a deleted owner are gone. */
const collectionMs = 10_000;
const noFaults: Faults = { duplication: 0, stalls: 0, crashes: 0 };

/** What a life is made of, beside what its scenario says. */
interface Stage {
  readonly clock: VirtualClock;
  readonly world: SimulatedWorld;
  readonly judge: Judge;
  readonly workloads: readonly Workload[];
  readonly storage: StorageSystem;
}

/** Lives through peace, whose last part must be quiet. */
async function settle({ minutes = 10, elections }: Scenario, { clock, judge, workloads }: Stage): Promise<void> {
  const end = beginning + minutes * 60_000 + peaceMs;
  await clock.run(end - quietMs);
  // Cron jobs go on for ever, and slow commits end terms: a new leader tries again at once what is refused.
  if (!workloads.includes(cronJobWorkload) && !elections) judge.quiet(hotLoops());
  await clock.run(end);
  const orphans = await orphansLeft(judge.storage);
  if (orphans.length === 0) return;
  // An owner may just have gone.
  await clock.run(end + collectionMs);
  const left = await orphansLeft(judge.storage);
  for (const what of orphans.filter((orphan) => left.includes(orphan))) judge.accuse("orphan left", what);
}

const manager = "kube-controller-manager";
const peace = { loss: 0, lateness: 0 };

/** Zones of nodes by their numbers, or by any other end of their names. */
const nodeOptions = (nodeName: string) => ({
  ...{ nodeName, zone: `zone-${nodeName.charCodeAt(nodeName.length - 1) % 2}`, cpu: "600m", leaseMs: 10_000 },
});

/** The storage of nodes by their names. */
function storageOptions({ storage, workloads }: Pick<Stage, "storage" | "workloads">) {
  const drivers = workloads.flatMap((w) => w.drivers ?? []);
  return (nodeName: string) => ({ storage: storage.onNode(nodeName), drivers });
}

/** Accuses requests that the default roles do not allow. */
const authorization =
  ({ authorized }: Scenario, { accuse }: Judge): Authorized =>
  (request, decision) => {
    authorized?.(request, decision);
    if (!decision.allowed) accuse(forbidden, requestText(request));
  };

/** Connects each process to the server as what it is. */
const connection =
  (clients: SimulatedServer, faults: Faults, { world, judge }: Stage, authorized: Authorized): Connect =>
  ({ network, component }, life, die) => {
    const client = component === undefined ? clients.user : clients.as(identityOf(component, authorized));
    const server = duplicating(client, world, faults, judge.late);
    return mortal(flaky(server, world, network, judge.late, life), world, faults, die);
  };

async function live(scenario: Scenario, stage: Stage): Promise<void> {
  const { clock, world, judge, workloads, storage } = stage;
  const nodeStorage = storageOptions(stage);
  const { minutes = 10, nodes: count = 3, loss = 0.02, lateness = 0.005 } = scenario;
  const clients = simulatedServer(judge.storage, world);
  const { user } = clients;
  const authorized = authorization(scenario, judge);
  await bootstrap(user, { address: "10.0.0.1", port: 6443, serviceCidr: "10.96.0.0/16" });
  const chaos = new AbortController();
  const losses = (): Pick<Network, "loss" | "lateness"> => (chaos.signal.aborted ? peace : { loss, lateness });
  const network = (): Network => ({ latencyMs: 20, timeoutMs: 1_000, ...losses(), down: false });
  const end = new AbortController();
  const { crashRate = 0.01 } = scenario;
  const faults = { ...(scenario.trouble === false ? noFaults : usualFaults()), crashRate };
  const { start: begin } = processes(world, connection(clients, faults, stage, authorized), end.signal);
  const start = (part: Part, component?: string): Process =>
    begin(part, { network: network(), ...(component !== undefined && { component }) });
  /** Each process has a clock of its own. */
  const startSkewed = (part: (own: World) => Part, component?: string): Process =>
    start(part(skewed(world)), component);
  const { declareGone, ...live } = livePods((what) => judge.accuse("two live pods of a name", what));
  const node =
    (nodeName: string, gone?: AbortSignal) =>
    (own: World): Part =>
    async (client, signal) => {
      if (gone?.aborted) return;
      const options = { ...nodeOptions(nodeName), ...nodeStorage(nodeName), crashRate: () => faults.crashRate, live };
      await runAgent(options, client, own, gone ? AbortSignal.any([signal, gone]) : signal);
    };
  const nodeNames = Array.from({ length: count }, (_, i) => `node-${i}`);
  const agents = nodeNames.map((name) => startSkewed(node(name)));
  const run = controllersOf(scenario.decided);
  const candidates = scenario.elections
    ? [0, 1, 2].map((i) => candidate(`manager-${i}`, network(), run, { judge, world, ranges, authorized }))
    : [];
  const managers = scenario.elections
    ? candidates.map((one) => begin((_, signal) => one.live(signal), one))
    : managerParts(scenario, run, countedLeaders(judge)).map((part) => startSkewed(part, manager));
  const scheduler = startSkewed((own) => schedulerPart(own, judge.scheduled), "kube-scheduler");
  const parts = [...managers, scheduler, ...agents];
  const startNode = (name: string): (() => void) => {
    const gone = new AbortController();
    parts.push(startSkewed(node(name, gone.signal)));
    return () => gone.abort(new Error("removed"));
  };
  const ground = { world, nodeNames, startNode, accuse: judge.accuse, decided: scenario.decided, storage };
  for (const { component } of workloads)
    if (component) parts.push(start(component({ ...ground, isPeaceful: () => chaos.signal.aborted })));
  for (const { begin } of workloads) await begin(user, world.random);
  if (scenario.trouble !== false) {
    trouble(user, world, { parts, agents, workloads }, chaos.signal).catch(() => {});
    compacting(judge.storage, world, chaos.signal).catch(() => {});
    const controls = nodeControls({ user, world, nodeNames, agents, declareGone, minutes }, chaos.signal);
    for (const { outages } of workloads) outages?.(controls, chaos.signal).catch(() => {});
  }
  if (scenario.elections) {
    depose(candidates, world, chaos.signal).catch(() => {});
    watchForLeader(candidates, { judge, world }, end.signal).catch(() => {});
  }
  await clock.run(beginning + minutes * 60_000);
  // The network heals, nothing crashes any more, and the cluster has to find its way home.
  chaos.abort(new Error("peace"));
  for (const part of parts) Object.assign(part.network, { ...peace, down: false });
  Object.assign(faults, { ...noFaults, crashRate: 0 });
  for (const { heal } of workloads) await heal?.(user);
  await settle(scenario, stage);
  end.abort(new Error("the end"));
}

export async function simulate(scenario: Scenario): Promise<Life> {
  const clock = virtualClock();
  const world: SimulatedWorld = { clock, random: seeded(scenario.seed), log: scenario.log ?? (() => {}) };
  const present = (scenario.workloads ?? drawnWorkloads(world)).map((name) => workloads[name]);
  const storage = storageSystem(world, () => judge);
  const rules = new Set([...podRules, ...nodeRules(), ...present.flatMap((w) => w.rules(storage))]);
  const judge: Judge = judged(memoryStorage(), [...rules], [nodes, ...present.flatMap((w) => w.kinds)], {
    now: () => clock.now() - beginning,
    fact: (fact) => scenario.fact?.(fact),
    violation: (violation) => scenario.violation?.(violation),
  });
  await live(scenario, { clock, world, judge, workloads: present, storage });
  return {
    commits: judge.commits,
    violations: judge.violations,
    unsettled: present.flatMap((w) => w.unsettled(judge.committed, storage)),
  };
}
