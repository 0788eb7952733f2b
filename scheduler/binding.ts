// The binding cycle: from the decision until the API has confirmed it, beside the decisions for other pods.
import { hasReason } from "../api/errors.ts";
import type { Pod } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import { settle } from "../machinery/controller.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import {
  skip,
  unschedulable,
  type BindingContext,
  type PluginRejection,
  type Rejection,
  type SchedulerPlugin,
} from "./framework.ts";
import type { PodInfo } from "./node-info.ts";
import type { CycleState } from "./place.ts";

/** A decision on its way. */
export interface Binding {
  readonly pod: PodInfo;
  readonly nodeName: string;
  readonly state: CycleState;
  readonly plugins: readonly SchedulerPlugin[];
}
/** What the scheduler does about the outcome. */
interface BindingOutcomes {
  /** A plugin rejected it, before the next decision or later. */
  rejected(binding: Binding, plugin: string, message: string): void;
  /** The API refused, or a plugin threw. */
  failed(binding: Binding): void;
  bound(binding: Binding): void;
}

type Verdict = PluginRejection | undefined;
const rejectedBy = ({ name }: SchedulerPlugin, status: Rejection | undefined): Verdict =>
  status && { plugin: name, status };

function reserve({ plugins, state, pod, nodeName }: Binding): Verdict {
  for (const plugin of plugins) {
    const rejected = rejectedBy(plugin, plugin.reserve?.(state.get(plugin.name), pod, nodeName));
    if (rejected) return rejected;
  }
  return undefined;
}
function unreserve({ plugins, state, pod, nodeName }: Binding): void {
  for (const plugin of plugins.toReversed()) plugin.unreserve?.(state.get(plugin.name), pod, nodeName);
}

type Waiting = (context: BindingContext) => Promise<Verdict>;
/** Asks every plugin at once; those that hold the pod back are awaited later, beside other decisions. */
function permit({ plugins, state, pod, nodeName }: Binding): { rejected: Verdict; waits: readonly Waiting[] } {
  const waits: Waiting[] = [];
  for (const plugin of plugins) {
    const answer = plugin.permit?.(state.get(plugin.name), pod, nodeName);
    if (answer === undefined) continue;
    if ("code" in answer) return { rejected: rejectedBy(plugin, answer), waits };
    const { allowed, timeoutMs } = answer;
    waits.push(async ({ clock, signal }) => {
      const expired = clock.sleep(timeoutMs, signal).then(() => unschedulable("timeout"));
      return rejectedBy(plugin, await Promise.race([allowed, expired]));
    });
  }
  return { rejected: undefined, waits };
}

async function bind(binding: Binding, waits: readonly Waiting[], context: BindingContext): Promise<Verdict> {
  const { plugins, state, pod, nodeName } = binding;
  for (const wait of waits) {
    const rejected = await wait(context);
    if (rejected) return rejected;
  }
  for (const plugin of plugins) {
    const rejected = rejectedBy(plugin, await plugin.preBind?.(state.get(plugin.name), pod, nodeName, context));
    if (rejected) return rejected;
  }
  for (const plugin of plugins) if (plugin.bind && (await plugin.bind(pod, nodeName, context)) !== skip) break;
  for (const plugin of plugins) plugin.postBind?.(pod, nodeName);
  return undefined;
}

/**
 * Starts a binding: Reserve and Permit are called before this returns, the rest runs beside the next decisions.
 */
export function binder(
  view: Informer<Pod>,
  client: Client,
  world: World,
  { rejected, failed, bound }: BindingOutcomes,
  signal: AbortSignal,
): (binding: Binding) => void {
  const context: BindingContext = { client, clock: world.clock, signal };
  const reject = (binding: Binding, rejection: PluginRejection): void => {
    unreserve(binding);
    rejected(binding, rejection.plugin, rejection.status.reasons.join(", "));
  };
  const finish = async (binding: Binding, waits: readonly Waiting[]): Promise<void> => {
    const { key } = binding.pod;
    try {
      const rejection = await bind(binding, waits, context);
      if (rejection) reject(binding, rejection);
      else bound(binding);
    } catch (e) {
      if (signal.aborted) return;
      // Refused perhaps because an earlier try got through: then the view will show it.
      await view.caughtUp(await settle(client, world, signal), signal);
      unreserve(binding);
      if (!hasReason(e, "NotFound", "Conflict"))
        world.log("binding refused", { pod: key, error: (e as Error).message });
      failed(binding);
    }
  };
  return (binding) => {
    const reservation = reserve(binding);
    if (reservation) return reject(binding, reservation);
    const { rejected: refusal, waits } = permit(binding);
    if (refusal) return reject(binding, refusal);
    finish(binding, waits).catch((e: unknown) => {
      if (!signal.aborted) throw e;
    });
  };
}
