// Carries out what `orrery rebalance` plans: reads the cluster, evicts pods, waits for those that replace them.
import { hasReason } from "../../api/errors.ts";
import type { Node, Pod, PodDisruptionBudget } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, keyOf } from "../../api/meta.ts";
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import type { Move } from "../../controllers/descheduler/draft.ts";
import type { Cluster, Settings, Simulation } from "../../controllers/descheduler/ports.ts";
import {
  evicted,
  nextStep,
  noProgress,
  pauseOf,
  type Progress,
  refusedBy,
  successorsOf,
} from "../../controllers/descheduler/run.ts";
import { pathOf } from "../../machinery/http-client.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { clock } from "./cluster-option.ts";

const pollMs = 1_000;

/** All objects of a kind; none of a kind that the server does not have. */
const listed = <T extends ApiObject>(api: Connection, kind: ResourceDefinition<T>): Promise<readonly T[]> =>
  api.list<T>(pathOf(kind, {})).catch((e: unknown) => {
    if (hasReason(e, "NotFound")) return [];
    throw e;
  });

type Affected = Pick<Cluster, "pods" | "budgets">;
/** What evictions in a namespace, or in all, change. */
async function readAffected(api: Connection, namespace: string | undefined): Promise<Affected> {
  const at = namespace === undefined ? {} : { namespace };
  const [podList, budgets] = await Promise.all([
    api.list<Pod>(pathOf(pods, at)),
    api.list<PodDisruptionBudget>(pathOf(podDisruptionBudgets, at)),
  ]);
  return { pods: podList, budgets };
}
export async function readCluster(api: Connection, { reads }: Simulation): Promise<Cluster> {
  const [affected, nodeList, ...others] = await Promise.all([
    readAffected(api, undefined),
    api.list<Node>(pathOf(nodes, {})),
    ...reads.map(async (kind) => [kind.plural, await listed(api, kind)] as const),
  ]);
  const byKind = new Map(others);
  return {
    ...{ ...affected, nodes: nodeList },
    objectsOf: <T extends ApiObject>(kind: ResourceDefinition<T>) => (byKind.get(kind.plural) ?? []) as readonly T[],
  };
}

async function evict(api: Connection, { pod }: Move): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  const deleteOptions = { preconditions: { uid } };
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace }, deleteOptions };
  await api.request({ method: "POST", path: pathOf(pods, { namespace: namespace!, name, part: "eviction" }), body });
}

/** What a run works with. */
export interface RunContext {
  readonly api: Connection;
  readonly simulation: Simulation;
  readonly settings: Settings;
  readonly say: (line: string) => void;
}

/** Evicts the pod of a move and waits for the one that replaces it. */
async function carryOut(
  move: Move,
  cluster: Cluster,
  progress: Progress,
  { api, settings, say }: RunContext,
): Promise<Progress> {
  try {
    await evict(api, move);
  } catch (error) {
    if (!hasReason(error, "TooManyRequests", "NotFound", "Conflict")) throw error;
    say(`${keyOf(move.pod)} stays on ${move.from}: ${(error as Error).message}`);
    return refusedBy(progress, move);
  }
  say(`${keyOf(move.pod)} evicted from ${move.from}`);
  const next = evicted(progress, move, cluster, clock.now());
  for (;;) {
    await clock.sleep(pollMs);
    const affected = await readAffected(api, move.pod.metadata.namespace);
    const pause = pauseOf(next, affected, settings, clock.now());
    if (pause?.isLate) throw new CliError(`the run ends: ${pause.because}`);
    if (pause) continue;
    for (const pod of successorsOf(next.pending!, affected)) say(`${keyOf(pod)} is ready on ${pod.spec.nodeName}`);
    return next;
  }
}

/** Moves pods, one after the other, until nothing is left to move. */
export async function carriedOut(cluster: Cluster, context: RunContext): Promise<number> {
  let progress: Progress = noProgress;
  for (let current = cluster; ; current = await readCluster(context.api, context.simulation)) {
    const step = nextStep({ ...context, cluster: current, now: clock.now() }, progress);
    if (step.do === "end") return progress.done.length;
    if (step.do === "evict") progress = await carryOut(step.move, current, progress, context);
  }
}
