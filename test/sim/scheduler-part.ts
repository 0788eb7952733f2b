// The scheduler of a simulated cluster: one process, elected, whose decisions the judge receives.
import { nodes } from "../../api/core/nodes.ts";
import { pods } from "../../api/core/pods.ts";
import type { Client } from "../../machinery/client.ts";
import type { DecisionLog } from "../../machinery/decisions.ts";
import { informer } from "../../machinery/informer.ts";
import { runAsLeader } from "../../machinery/leader-election.ts";
import type { World } from "../../machinery/world.ts";
import { defaultPlugins } from "../../scheduler/plugins/default.ts";
import { runScheduler } from "../../scheduler/scheduler.ts";
import type { Judge } from "./judge.ts";

/** Receives decisions, each with the revision of the view of nodes. */
type Recorder = Judge["scheduled"];

async function schedule(client: Client, world: World, recorder: Recorder, signal: AbortSignal): Promise<void> {
  const views = { pods: informer(client, pods, world), nodes: informer(client, nodes, world) };
  const record = (decision: Parameters<DecisionLog["record"]>[0]): void =>
    recorder(decision, views.nodes.lister.revision);
  const decisions = { record, of: () => [] };
  await Promise.all([
    runScheduler(views, client, world, { plugins: defaultPlugins(), decisions }, signal),
    views.pods.run(signal),
    views.nodes.run(signal),
  ]);
}
/** Long: there is no other scheduler, and what renewals cost is paid by all that is simulated. */
const lease = { leaseDurationMs: 90_000, renewDeadlineMs: 60_000, retryPeriodMs: 20_000 };
/** A scheduler. Elected, so that a binding of one that was killed is refused once the next has begun. */
export const schedulerPart =
  (world: World, recorder: Recorder) =>
  (client: Client, signal: AbortSignal): Promise<void> => {
    const election = { namespace: "kube-system", name: "kube-scheduler", identity: "scheduler", ...lease };
    return runAsLeader(election, client, world, (leading, term) => schedule(leading, world, recorder, term), signal);
  };
