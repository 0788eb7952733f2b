// The binding stages of a decision: Reserve and Permit before the next one, PreBind and Bind beside it.
import { pods } from "../api/core/pods.ts";
import { hasReason } from "../api/errors.ts";
import type { Pod } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import { settle } from "../machinery/controller.ts";
import type { Informer } from "../machinery/informer.ts";
import type { World } from "../machinery/world.ts";
import {
  failed as failedStatus,
  skip,
  unschedulable,
  type BindingContext,
  type PluginRejection,
  type PluginViews,
  type Rejection,
  type SchedulerPlugin,
} from "./framework.ts";
import type { PodInfo } from "./node-info.ts";
import type { CycleState } from "./place.ts";
import type { AttemptSpan } from "./attempt-span.ts";
import type { Profiles } from "./profiles.ts";

/** A decision on its way. */
export interface Binding {
  readonly pod: PodInfo;
  readonly nodeName: string;
  readonly state: CycleState;
  readonly plugins: readonly SchedulerPlugin[];
  /** Present while tracing is on. */
  readonly span?: AttemptSpan | undefined;
}
/** What the scheduler does about the outcome. */
interface BindingOutcomes {
  /** A plugin rejected it after it was prepared. */
  rejected(binding: Binding, rejection: PluginRejection): void;
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
function unreserve({ plugins, state, pod, nodeName }: Binding, context: BindingContext): void {
  for (const plugin of plugins.toReversed()) plugin.unreserve?.(state.get(plugin.name), pod, nodeName, context);
}

type Waiting = (context: BindingContext) => Promise<Verdict>;
/** Asks every plugin at once; those that hold the pod back are awaited later, beside other decisions. */
function permit({ plugins, state, pod, nodeName }: Binding): PluginRejection | readonly Waiting[] {
  const waits: Waiting[] = [];
  for (const plugin of plugins) {
    const result = plugin.permit?.(state.get(plugin.name), pod, nodeName);
    if (result === undefined) continue;
    if ("code" in result) return { plugin: plugin.name, status: result };
    const { allowed, timeoutMs } = result;
    waits.push(async ({ clock, signal }) => {
      const expired = clock.sleep(timeoutMs, signal).then(() => unschedulable("timeout"));
      return rejectedBy(plugin, await Promise.race([allowed, expired]));
    });
  }
  return waits;
}

/** A binding whose plugins have reserved what it needs, and have not refused it. */
export interface PreparedBinding extends Binding {
  readonly waits: readonly Waiting[];
}

async function bind(binding: PreparedBinding, context: BindingContext): Promise<Verdict> {
  const { plugins, state, pod, nodeName, waits } = binding;
  for (const wait of waits) {
    const rejected = await wait(context);
    if (rejected) return rejected;
  }
  for (const plugin of plugins) {
    const status = await plugin.preBind?.(state.get(plugin.name), pod, nodeName, context);
    if (status?.code === "Error")
      return rejectedBy(plugin, failedStatus(`running PreBind plugin "${plugin.name}": ${status.reasons.join(", ")}`));
    if (status) return rejectedBy(plugin, status);
  }
  for (const plugin of plugins) {
    const result = plugin.bind ? await plugin.bind(pod, nodeName, context) : skip;
    if (result === skip) continue;
    if (result) return rejectedBy(plugin, result);
    break;
  }
  for (const plugin of plugins) plugin.postBind?.(pod, nodeName);
  return undefined;
}

/** The binding stages of a decision. */
export interface Binder {
  /** Reserve and Permit: before the next decision. Nothing stays reserved when a plugin rejects it. */
  prepare(binding: Binding): PreparedBinding | PluginRejection;
  /** The later stages, which run beside the next decisions. */
  start(binding: PreparedBinding): void;
  /** Gives back what was reserved for a binding that is not started. */
  undo(binding: PreparedBinding): void;
}
interface BinderPorts {
  readonly view: Informer<Pod>;
  readonly views: PluginViews;
  readonly client: Client;
  readonly world: World;
  readonly profileOf: Profiles;
}

/** Binds until the signal aborts. */
export function binder(
  { view, views, client, world, profileOf }: BinderPorts,
  { rejected, failed, bound }: BindingOutcomes,
  signal: AbortSignal,
): Binder {
  const { lister, changed } = views;
  const recordEvent: BindingContext["recordEvent"] = (pod, reason, message) =>
    profileOf(pod)?.events.record(pod, "Normal", reason, message);
  const shared: BindingContext = { client, clock: world.clock, lister, changed, signal, recordEvent };
  const finish = async (binding: PreparedBinding): Promise<void> => {
    const { key } = binding.pod;
    const { span } = binding;
    const context = span ? { ...shared, client: span.writing("bind", client) } : shared;
    try {
      const rejection = await bind(binding, context);
      span?.end(rejection?.status.reasons.join(", "));
      if (!rejection) return bound(binding);
      unreserve(binding, context);
      rejected(binding, rejection);
    } catch (e) {
      span?.end((e as Error).message);
      if (signal.aborted) return;
      // Refused perhaps because an earlier try got through: then the view will show it.
      await view.caughtUp(await settle(client, pods, world, signal), signal);
      unreserve(binding, context);
      if (!hasReason(e, "NotFound", "Conflict"))
        world.log("binding refused", { pod: key, error: (e as Error).message });
      failed(binding);
    }
  };
  return {
    prepare(binding) {
      const permitted = reserve(binding) ?? permit(binding);
      if (!("plugin" in permitted)) return { ...binding, waits: permitted };
      unreserve(binding, shared);
      return permitted;
    },
    start(binding) {
      finish(binding).catch((e: unknown) => {
        if (!signal.aborted) throw e;
      });
    },
    undo: (binding) => unreserve(binding, shared),
  };
}
