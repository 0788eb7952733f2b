// The worker of a pod: observes, decides, acts and reports until neither the API nor the engine has the pod.
import { sameJson } from "../../api/hash.ts";
import type { Pod, PodStatus } from "../../api/generated/types.ts";
import { hasReason } from "../../api/errors.ts";
import { instant, keyOf, revisionOf } from "../../api/meta.ts";
import { pods } from "../../api/core/pods.ts";
import type { Client } from "../../machinery/client.ts";
import { newSignal, subscribe } from "../../machinery/signal.ts";
import type { Rejection } from "../admission.ts";
import type { NodeContext } from "../node-context.ts";
import { type Prober, prober } from "../probes/prober.ts";
import { RuntimeUnavailable } from "../runtime.ts";
import { actionKey } from "./actions.ts";
import { type ActionSpan, type PodSpans, podSpans } from "./pod-spans.ts";
import { decidePod } from "./decide.ts";
import { execute } from "./executors.ts";
import { explained } from "./explained.ts";
import { fieldPath, usedVolumesOf } from "../podspec/containers.ts";
import { emptyMemory, invalidateVolumes, type PodMemory, type PodObservation } from "./memory.ts";
import { observePod } from "./observe.ts";
import { liveSandbox } from "./runs.ts";
import { podStatus } from "./status.ts";
import { mustEnd } from "./termination.ts";

const plain = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** On the wire an undefined property is an absent one. */
const sameStatus = (a: PodStatus | undefined, b: PodStatus): boolean => sameJson(a ?? {}, b);

/** The newer of two versions of one pod. */
const newer = (a: Pod | undefined, b: Pod): Pod => (a !== undefined && revisionOf(a) > revisionOf(b) ? a : b);

/** Status fields that other components own; a write of this node keeps them. */
const foreignFields = ({ status = {} }: Pod): PodStatus => {
  const { nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus } = status;
  return plain({ nominatedNodeName, resourceClaimStatuses, extendedResourceClaimStatus });
};

/** Adds the fields of other components to `status`. */
const completed = (pod: Pod, status: PodStatus): PodStatus => ({ ...status, ...foreignFields(pod) });

/** Writes the status; resolves with the updated pod, or undefined if it was deleted. */
export async function report(client: Client, pod: Pod, status: PodStatus): Promise<Pod | undefined> {
  try {
    return await client.update(pods, { ...pod, status }, "status");
  } catch (e) {
    if (hasReason(e, "NotFound")) return undefined;
    if (!hasReason(e, "Conflict")) throw e;
    const now = await client.get(pods, keyOf(pod));
    return now.metadata.uid === pod.metadata.uid ? now : undefined;
  }
}

export interface PodWorker {
  readonly uid: string;
  /** Sets the API's latest version of the pod, or that it was deleted. */
  update(pod: Pod | "gone"): void;
  /** Requests another observation; calls are coalesced. */
  notify(): void;
  /** Ends the pod, which fails for this reason. */
  evict(eviction: Rejection): void;
  /** An object that the pod refers to has changed. */
  contentChanged(): void;
  /** What volumes may have waited for has happened. */
  retryVolumes(): void;
  run(signal: AbortSignal): Promise<void>;
}

interface WorkerState {
  readonly uid: string;
  readonly node: NodeContext;
  readonly memory: PodMemory;
  readonly health: Prober;
  /** Keys of the actions under way. */
  readonly busy: Set<string>;
  readonly notify: () => void;
  /** Present while tracing is on. */
  readonly spans: PodSpans | undefined;
}
interface Outcome {
  readonly requeueAt: number | undefined;
  readonly over: boolean;
}

/** The longest time between two observations. */
const longestRestMs = 30_000;
const retryMs = 1_000;
const leastRestMs = 10;

function begin(
  { uid, node, busy, notify }: WorkerState,
  { action, span }: { readonly action: string; readonly span: ActionSpan | undefined },
  work: Promise<unknown>,
  signal: AbortSignal,
): void {
  busy.add(action);
  const settled = (): void => {
    busy.delete(action);
    notify();
  };
  const succeeded = (): void => {
    span?.end();
    settled();
  };
  work.then(succeeded, (e: Error) => {
    span?.end(e);
    if (!signal.aborted) node.world.log("pod action failed", { pod: uid, action, error: e.message });
    // An unexpected failure is retried after a delay.
    node.world.clock.sleep(retryMs, signal).then(settled, settled);
  });
}

/** Whether the API has the current status; if not, begins to report it. */
function ensureReported(
  w: WorkerState,
  o: PodObservation,
  status: PodStatus | undefined,
  signal: AbortSignal,
): boolean {
  const { memory, node } = w;
  if (o.pod === undefined || status === undefined) return false;
  if (sameStatus(o.pod.status, status)) return true;
  if (w.busy.has("report")) return false;
  if (status.reason === "DeadlineExceeded" && o.pod.status?.reason !== status.reason)
    node.events.record(o.pod, "Normal", status.reason, status.message ?? "");
  const span = w.spans?.begin(o.pod, { do: "report" });
  const client = span ? node.client.inSpan(span.context) : node.client;
  const work = report(client, o.pod, status).then((now) => {
    if (now) memory.pod = newer(memory.pod, now);
    else memory.gone = true;
  });
  begin(w, { action: "report", span }, work, signal);
  return false;
}

function recordDecision({ decisions, world }: NodeContext, o: PodObservation, decided: ReturnType<typeof explained>) {
  if (o.pod === undefined || (decided.because.length === 0 && decided.actions.length === 0)) return;
  const about = { controller: "kubelet", kind: o.pod.kind, key: keyOf(o.pod), revision: revisionOf(o.pod) };
  decisions.record({ ...about, at: world.clock.now(), reasons: [], ...decided });
}

async function runOnce(w: WorkerState, signal: AbortSignal): Promise<Outcome> {
  const { uid, node, memory, health, busy } = w;
  const underWay = new Set(busy);
  const observed = await observePod(uid, node, memory, { health, underWay }, signal);
  if (observed.pod !== undefined && mustEnd(observed.pod, observed)) health.stopLivenessAndStartup();
  const current = observed.gone ? undefined : observed.pod;
  const status = current && completed(current, podStatus(current, observed));
  const o = { ...observed, reported: ensureReported(w, observed, status, signal) };
  const { actions, requeueAt } = decidePod(o);
  const inputs = o.pod && { node, pod: o.pod, memory, podIp: liveSandbox(o.sandboxes)?.ip };
  // The observation may lack the effect of an action that was under way when it began.
  const next = actions.filter((action) => !underWay.has(actionKey(action)) && !busy.has(actionKey(action)));
  recordDecision(node, o, explained(o, next, status));
  for (const action of next) {
    const key = actionKey(action);
    // Two equal actions of one decision are one.
    if (busy.has(key)) continue;
    const span = o.pod && w.spans?.begin(o.pod, action);
    const by = span ? { ...node, client: node.client.inSpan(span.context) } : node;
    const work = execute(action, { inputs, node: by, memory, uid, health, notify: w.notify }, signal);
    begin(w, { action: key, span }, work, signal);
  }
  if (busy.size === 0) w.spans?.rested();
  const empty = o.containers.length === 0 && o.sandboxes.length === 0;
  return { requeueAt, over: (o.gone || o.pod === undefined) && empty && o.released && busy.size === 0 };
}

async function runSafely(w: WorkerState, signal: AbortSignal): Promise<Outcome> {
  try {
    return await runOnce(w, signal);
  } catch (e) {
    if (!signal.aborted && !(e instanceof RuntimeUnavailable))
      w.node.world.log("pod worker failed", { pod: w.uid, error: String(e) });
    return { requeueAt: w.node.world.clock.now() + retryMs, over: false };
  }
}

/** What of a pod its volumes derive from: downward API volumes show labels and annotations. */
const shownOf = (pod: Pod): string =>
  JSON.stringify([
    pod.metadata.labels ?? {},
    pod.metadata.annotations ?? {},
    usedVolumesOf(pod).map(({ name }) => name),
  ]);

function remember(memory: PodMemory, pod: Pod): void {
  const before = memory.pod;
  memory.pod = newer(before, pod);
  if (before && shownOf(before) !== shownOf(memory.pod)) invalidateVolumes(memory);
}

/** The worker of the pod with this uid. */
export function podWorker(uid: string, node: NodeContext): PodWorker {
  const memory = emptyMemory();
  const changed = newSignal();
  const spans = node.world.tracer && podSpans(node.world.tracer);
  const record = (container: string, type: "Normal" | "Warning", reason: string, message: string): void => {
    if (memory.pod) node.events.record(memory.pod, type, reason, message, fieldPath(memory.pod, container));
  };
  return {
    uid,
    notify: changed.notify,
    update(pod) {
      if (pod === "gone") memory.gone = true;
      else {
        const before = memory.pod;
        remember(memory, pod);
        if (memory.pod !== before) spans?.changed(pod);
      }
      changed.notify();
    },
    evict(eviction) {
      if (memory.pod === undefined || memory.eviction) return;
      memory.eviction = eviction;
      node.events.record(memory.pod, "Warning", eviction.reason, eviction.message);
      changed.notify();
    },
    retryVolumes() {
      const { volumes, unmountFailure } = memory;
      if (volumes.is !== "failed" && unmountFailure === undefined) return;
      if (volumes.is === "failed") memory.volumes = { is: "unknown" };
      if (unmountFailure) memory.unmountFailure = { ...unmountFailure, at: instant(0) };
      changed.notify();
    },
    contentChanged() {
      invalidateVolumes(memory);
      changed.notify();
    },
    async run(signal) {
      const ended = new AbortController();
      const until = AbortSignal.any([signal, ended.signal]);
      const health = prober({ world: node.world, runtime: node.runtime, changed: changed.notify, record }, until);
      const w: WorkerState = { uid, node, memory, health, busy: new Set(), notify: changed.notify, spans };
      const changes = subscribe([changed], until);
      while (!signal.aborted) {
        const { requeueAt, over } = await runSafely(w, signal);
        if (over) break;
        const timer = new AbortController();
        const rest = (requeueAt ?? Number.POSITIVE_INFINITY) - node.world.clock.now();
        const ms = Math.min(longestRestMs, Math.max(leastRestMs, rest));
        node.world.clock.sleep(ms, timer.signal).then(changed.notify, () => {});
        await changes.next();
        timer.abort();
      }
      spans?.rested();
      changes.close();
      health.keep([]);
      ended.abort();
    },
  };
}
