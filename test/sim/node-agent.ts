// A node for the simulation: admits, "runs", heartbeats, and now and then loses a container. Real nodes are tested on
// Docker.
import { withCondition } from "../../api/conditions.ts";
import { hasReason } from "../../api/errors.ts";
import type { Lease, Node, Pod, PodCondition, PodStatus } from "../../api/generated/types.ts";
import { leases } from "../../api/coordination/leases.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { key, microTimestamp, timestamp, type Draft, type Instant } from "../../api/meta.ts";
import { isReady, isTerminal } from "../../api/core/pod/status.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import { controller, type Decision } from "../../machinery/controller.ts";
import { runController } from "../../machinery/reconcile.ts";
import { type Informer, informer, type SharedViews } from "../../machinery/informer.ts";
import { claimNamesOf } from "../../api/core/pod/claims.ts";
import { csiNodes } from "../../api/storage/csi.ts";
import { sameJson } from "../../api/hash.ts";
import type { World } from "../../machinery/world.ts";
import { type NodeVolumes, nodeVolumes } from "./node-volumes.ts";
import { idOfNode, type NodeStorage } from "./storage-system.ts";

export interface AgentOptions {
  readonly nodeName: string;
  readonly zone?: string;
  readonly cpu: string;
  readonly leaseMs: number;
  /** Chance that a running container dies in any five seconds. */
  readonly crashRate: () => number;
  readonly live?: LivePods;
  /** Its storage, and the drivers that attach volumes to it; without storage, pods do not wait for volumes. */
  readonly storage?: NodeStorage;
  readonly drivers?: readonly string[];
}
/** Receives which pods run, from the moment on which they may do something until they certainly do nothing. */
export interface LivePods {
  started(pod: Pod): void;
  ended(pod: Pod): void;
}
interface Observed {
  readonly pod: Pod;
  readonly startedAt: Instant | undefined;
}

/** How long a pod waits that is not mounted yet. */
const mountRetryMs = 1_500;
const startMs = 800;
/** How often fate looks for a container to kill. */
const lookMs = 5_000;
const conditions = (pod: Pod, ready: boolean, now: Instant): readonly PodCondition[] =>
  ["Initialized", "ContainersReady", "Ready"].reduce<readonly PodCondition[]>(
    (all, type) =>
      withCondition<PodCondition>(all, { type, status: ready || type === "Initialized" ? "True" : "False" }, now),
    pod.status?.conditions ?? [],
  );

/** Of the many addresses of a cluster, one by the UID. */
function addressOf({ metadata: { uid } }: Pod): Pick<PodStatus, "podIP" | "podIPs"> {
  const number = [...uid].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) % 65_521, 7);
  const ip = `10.0.${number >> 8}.${number & 255}`;
  return { podIP: ip, podIPs: [{ ip }] };
}

function statusOf(pod: Pod, ready: boolean, restarts: number, now: Instant): Pod["status"] {
  return {
    ...pod.status,
    phase: "Running",
    ...addressOf(pod),
    startTime: pod.status?.startTime ?? timestamp(now),
    conditions: conditions(pod, ready, now),
    containerStatuses: pod.spec.containers.map((c) => ({
      name: c.name,
      image: c.image ?? "",
      imageID: "",
      ready,
      restartCount: restarts,
      started: ready,
    })),
  };
}
const restartsOf = (pod: Pod): number => pod.status?.containerStatuses?.[0]?.restartCount ?? 0;

/** How long a pod that is not restarted runs, in seconds. */
export const runAnnotation = "example.com/run-seconds";
const runsOnce = ({ spec }: Pod): boolean => spec.restartPolicy === "Never";
const runMs = ({ metadata }: Pod): number => Number(metadata.annotations?.[runAnnotation] ?? 10) * 1000;

/** The end of a pod that is not restarted. */
function end(pod: Pod, exitCode: number, now: Instant): Decision {
  const terminated = { exitCode, finishedAt: timestamp(now) };
  const status = statusOf(pod, false, restartsOf(pod), now)!;
  const containerStatuses = status.containerStatuses?.map((c) => ({ ...c, state: { terminated } }));
  const ended = { ...status, phase: exitCode === 0 ? "Succeeded" : "Failed", containerStatuses } as Pod["status"];
  return { actions: [{ do: "status", resource: pods, object: pod, status: ended }] };
}

/** A pod that is not restarted runs once: it succeeds after its time, and fails when it is interrupted. */
function decideOnce({ pod, startedAt }: Observed, now: Instant): Decision {
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (isTerminal(pod)) {
    // What a finalizer keeps was confirmed before.
    if (deletionTimestamp === undefined || deletionGracePeriodSeconds === 0) return { actions: [] };
    return { actions: [{ do: "delete", resource: pods, object: pod, options: { gracePeriodSeconds: 0 } }] };
  }
  if (deletionTimestamp !== undefined) return end(pod, 143, now);
  if (startedAt === undefined && isReady(pod)) return end(pod, 137, now);
  const started = startedAt ?? now;
  if (!isReady(pod) && now - started >= startMs)
    return {
      actions: [{ do: "status", resource: pods, object: pod, status: statusOf(pod, true, 0, now) }],
      requeueAfter: started + runMs(pod) - now,
    };
  const leftMs = started + (isReady(pod) ? runMs(pod) : startMs) - now;
  return leftMs > 0 ? { actions: [], requeueAfter: leftMs } : end(pod, 0, now);
}

/** Start it, start it again, or clear it away. */
function decide(observed: Observed, now: Instant): Decision {
  const { pod, startedAt } = observed;
  if (runsOnce(pod)) return decideOnce(observed, now);
  if (pod.metadata.deletionTimestamp !== undefined)
    return { actions: [{ do: "delete", resource: pods, object: pod, options: { gracePeriodSeconds: 0 } }] };
  if (isTerminal(pod)) return { actions: [] };
  const say = (ready: boolean, restarts: number): Decision["actions"] => [
    { do: "status", resource: pods, object: pod, status: statusOf(pod, ready, restarts, now) },
  ];
  if (startedAt === undefined)
    return { actions: isReady(pod) ? say(false, restartsOf(pod) + 1) : [], requeueAfter: startMs };
  if (isReady(pod)) return { actions: [] };
  const left = startedAt + startMs - now;
  return left > 0 ? { actions: [], requeueAfter: left } : { actions: say(true, restartsOf(pod)) };
}

const hasClaims = (pod: Pod): boolean => claimNamesOf(pod).length > 0;

/** A pod with claims starts once its volumes are mounted, and is gone once they are not. */
function decideWithVolumes(observed: Observed, volumes: NodeVolumes | undefined, now: Instant): Decision {
  const { pod } = observed;
  const isEnding = pod.metadata.deletionTimestamp !== undefined;
  if (!volumes || !hasClaims(pod) || (isTerminal(pod) && !isEnding)) return decide(observed, now);
  if (isEnding) {
    const run = async (): Promise<Decision> => {
      await volumes.unmount(pod);
      return decide(observed, now);
    };
    return { actions: [], effect: { description: "unmount", run } };
  }
  if (volumes.has(pod)) return decide(observed, now);
  const run = async (): Promise<Decision> => ({
    actions: [],
    requeueAfter: (await volumes.mount(pod)) ? 1 : mountRetryMs,
  });
  return { actions: [], effect: { description: "mount", run } };
}

async function register(client: Client, options: AgentOptions, world: World, signal: AbortSignal): Promise<void> {
  const { nodeName } = options;
  const allocatable = { cpu: options.cpu, memory: "16Gi", pods: "110" };
  const draft: Draft<Node> = {
    kind: "Node",
    metadata: {
      name: nodeName,
      labels: { "kubernetes.io/hostname": nodeName, "topology.kubernetes.io/zone": options.zone ?? "" },
    },
    spec: {},
    status: { allocatable, capacity: allocatable },
  };
  const lease: Draft<Lease> = {
    kind: "Lease",
    metadata: { name: nodeName, namespace: "kube-node-lease" },
    spec: { holderIdentity: nodeName, leaseDurationSeconds: 40 },
  };
  const once = async (make: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      try {
        await make();
        return;
      } catch (e) {
        if (hasReason(e, "AlreadyExists")) return;
        await world.clock.sleep(500, signal);
      }
    }
  };
  await once(() => client.create(nodes, draft));
  await once(() => client.create(leases, lease));
  if (options.drivers?.length) await once(() => registerDrivers(client, options));
}

async function registerDrivers(client: Client, { nodeName, drivers = [] }: AgentOptions): Promise<void> {
  const { uid } = (await client.get(nodes, key(undefined, nodeName))).metadata;
  await client.create(csiNodes, {
    kind: "CSINode",
    metadata: { name: nodeName, ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }] },
    spec: { drivers: drivers.map((name) => ({ name, nodeID: idOfNode(nodeName) })) },
  });
}

async function heartbeat(
  client: Client,
  options: AgentOptions,
  world: World,
  volumes: NodeVolumes | undefined,
): Promise<void> {
  const now = world.clock.now();
  const name = options.nodeName;
  await client.patch(leases, key("kube-node-lease", name), {
    type: "merge",
    patch: { spec: { renewTime: microTimestamp(now) } },
  });
  const node = await client.get(nodes, key(undefined, name));
  const inUse = volumes?.inUse() ?? [];
  const { volumesInUse = [], ...status } = node.status ?? {};
  const isReady = status.conditions?.some((c) => c.type === "Ready" && c.status === "True");
  if (isReady && sameJson(volumesInUse, inUse)) return;
  const conditions = withCondition(status.conditions, { type: "Ready", status: "True", reason: "KubeletReady" }, now);
  const reported = { ...status, ...(inUse.length > 0 && { volumesInUse: inUse }), conditions };
  await client.update(nodes, { ...node, status: reported }, "status");
}

/** Be a node until the signal aborts; what it runs is forgotten then, as when a machine loses its power. */
export async function runAgent(
  options: AgentOptions,
  client: Client,
  world: World,
  signal: AbortSignal,
): Promise<void> {
  const view = informer(client, pods, world, { selection: { fieldSelector: `spec.nodeName=${options.nodeName}` } });
  const { nodeName, storage } = options;
  const volumes = storage && nodeVolumes({ nodeName, storage, client, world, signal });
  const started = new Map<string, Instant>();
  const running = new Map<string, Pod>();
  const start = (pod: Pod): void => {
    running.set(pod.metadata.uid, pod);
    options.live?.started(pod);
  };
  const end = (pod: Pod): void => {
    if (running.delete(pod.metadata.uid)) options.live?.ended(pod);
  };
  view.onChange((pod, before, type) => {
    if (before === undefined || (type !== "deleted" && before.metadata.uid === pod.metadata.uid)) return;
    end(before);
    if (volumes && hasClaims(before)) volumes.unmount(before).catch(() => {});
  });
  onAbort(signal, () => {
    running.forEach(end);
    storage?.powerLost();
  });
  const crash = async (): Promise<void> => {
    while (!signal.aborted) {
      await world.clock.sleep(lookMs, signal);
      for (const pod of view.lister.all())
        if (isReady(pod) && world.random.next() < options.crashRate()) {
          started.delete(pod.metadata.uid);
          for (const touch of touched) touch(pod);
        }
    }
  };
  const beat = async (): Promise<void> => {
    while (!signal.aborted) {
      await heartbeat(client, options, world, volumes).catch((e: unknown) =>
        world.log("heartbeat failed", { error: (e as Error).message }),
      );
      await volumes?.expand();
      await world.clock.sleep(options.leaseMs, signal);
    }
  };
  const touched: ((pod: Pod) => void)[] = [];
  const noticing: Informer<Pod> = {
    ...view,
    onChange(handler) {
      view.onChange(handler);
      touched.push((pod) => handler(pod, pod, "updated"));
    },
  };
  const kubelet = controller({
    name: `kubelet/${options.nodeName}`,
    reconciles: pods,
    observe(views, k): Observed | undefined {
      const pod = views.of(pods).get(k);
      if (!pod) return undefined;
      const startedAt = started.get(pod.metadata.uid);
      if (pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) end(pod);
      else if (volumes && hasClaims(pod) && !volumes.has(pod)) return { pod, startedAt: undefined };
      else if (!running.has(pod.metadata.uid)) start(pod);
      if (startedAt === undefined) started.set(pod.metadata.uid, world.clock.now());
      return { pod, startedAt };
    },
    decide: (observed, now) => decideWithVolumes(observed, volumes, now),
  });
  const views = { of: () => noticing } as unknown as SharedViews;
  await register(client, options, world, signal);
  await Promise.all([
    view.run(signal),
    runController(kubelet, { client, world, views }, signal, { workers: 4 }),
    crash(),
    beat(),
  ]);
}
