// The cluster autoscaler as a controller: one key, observed from views and the provider of nodes. Not a pure
// controller: nodes are added and removed by the provider, which is polled, not watched.
import { daemonSets } from "../../api/apps/daemonsets.ts";
import { configMaps } from "../../api/core/configmaps.ts";
import { nodes } from "../../api/core/nodes.ts";
import { persistentVolumes } from "../../api/core/persistentvolumes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import { hasReason, ifFound } from "../../api/errors.ts";
import type { ConfigMap, Node, Pod } from "../../api/generated/types.ts";
import { type Instant, key, keyOf, timestamp } from "../../api/meta.ts";
import { podDisruptionBudgets } from "../../api/policy/poddisruptionbudgets.ts";
import { act, describeAction } from "../../machinery/action.ts";
import type { Client } from "../../machinery/client.ts";
import { type KeysOf, type Reconciler, type Views, watch } from "../../machinery/controller.ts";
import { type EventRecorder, eventRecorder } from "../../machinery/events.ts";
import type { World } from "../../machinery/world.ts";
import { decide } from "./decide.ts";
import { isAwaited } from "./movable.ts";
import { type History, isNodeReady, markedAt, noHistory, type Observed } from "./observed.ts";
import type { NodeProvider, Settings, Simulation } from "./ports.ts";
import type { Step } from "./removal.ts";

const statusKey = key("kube-system", "cluster-autoscaler-status");
const everything = [statusKey];

/** A pod that found no room, and every change on a node that is being removed, is a reason to decide at once. */
const podKeys: KeysOf<Pod> = (pod, { views }) => {
  const node = pod.spec.nodeName === undefined ? undefined : views.of(nodes).get(key(undefined, pod.spec.nodeName));
  if (node) return markedAt(node) === undefined ? [] : everything;
  return conditionOf(pod.status?.conditions, "PodScheduled")?.status === "False" ? everything : [];
};
const nodeKeys: KeysOf<Node> = (node, { before, type }) =>
  type === "updated" && before && isNodeReady(before) === isNodeReady(node) && markedAt(before) === markedAt(node)
    ? []
    : everything;

/** The status ConfigMap with this text. It is written when the text changes. */
async function writeStatus(client: Client, status: string, now: Instant): Promise<ConfigMap> {
  const annotations = { "cluster-autoscaler.kubernetes.io/last-updated": timestamp(now) };
  const [namespace, name] = statusKey.split("/") as [string, string];
  const found = await ifFound(client.get(configMaps, statusKey));
  if (!found)
    return client.create(configMaps, {
      kind: "ConfigMap",
      metadata: { name, namespace, annotations },
      data: { status },
    });
  if (found.data?.["status"] === status) return found;
  return client.patch(configMaps, statusKey, { type: "merge", patch: { metadata: { annotations }, data: { status } } });
}

/** What carries steps out. */
interface Tools {
  readonly provider: NodeProvider;
  readonly client: Client;
  readonly events: EventRecorder;
}

/** Pods that were bound to the node after it was marked, from a live read. */
async function remainingOn(name: string, client: Client): Promise<readonly Pod[]> {
  const { items } = await client.list(pods, { fieldSelector: `spec.nodeName=${name}` });
  return items.filter((pod) => isAwaited(pod) && pod.metadata.deletionTimestamp === undefined);
}

async function removeNode(
  { name, node }: Extract<Step, { do: "remove" }>,
  { provider, client }: Tools,
): Promise<string> {
  const remaining = node ? await remainingOn(name, client) : [];
  if (remaining.length > 0) return `${name} is not removed: ${keyOf(remaining[0]!)} was bound to it`;
  await provider.remove(name);
  await ifFound(client.delete(nodes, key(undefined, name)));
  return `remove node ${name}`;
}

/** Carries out a step; the line that reports it. */
async function perform(step: Step, tools: Tools): Promise<string> {
  if (step.do === "add") return `add ${(await tools.provider.create(step.count)).join(", ")}`;
  if (step.do === "remove") return removeNode(step, tools);
  await act(step.action, tools.client, tools.events);
  return describeAction(step.action);
}

/** Failures that a later decision takes care of: a budget that refuses, and objects that have changed. */
const isExpected = (e: unknown): boolean => hasReason(e, "TooManyRequests", "Conflict", "NotFound");

function observe(views: Views): Omit<Observed, "provided" | "history" | "status"> {
  return {
    pods: views.of(pods).all(),
    nodes: views.of(nodes).all(),
    budgets: views.of(podDisruptionBudgets).all(),
    daemonSets: views.of(daemonSets).all(),
    volumes: views.of(persistentVolumes).all(),
  };
}

/** An autoscaler of the nodes of a provider. There must be one at a time. */
export function clusterAutoscaler(
  { provider, simulation }: { readonly provider: NodeProvider; readonly simulation: Simulation },
  client: Client,
  world: World,
  settings: Settings,
): Reconciler {
  const events = eventRecorder(client, world, { component: "cluster-autoscaler" });
  const tools = { provider, client, events };
  let history: History = noHistory;
  let status: ConfigMap | undefined;
  let isRecovered = false;

  const failed = (step: Step, error: Error): void => {
    if (isExpected(error)) return;
    world.log("step failed", { step: step.do, error: error.message });
    if (step.do === "act") return;
    const now = world.clock.now();
    history = step.do === "add" ? { ...history, addFailedAt: now } : { ...history, removeFailedAt: now };
    const [reason, what] = step.do === "add" ? ["FailedToScaleUpGroup", "Scale-up"] : ["ScaleDownFailed", "Scale-down"];
    if (status)
      events.record(status, "Warning", reason, `${what} failed for group ${settings.group}: ${error.message}`);
  };
  const carryOut = async (steps: readonly Step[]): Promise<readonly string[]> => {
    const done: string[] = [];
    for (const step of steps) {
      try {
        done.push(await perform(step, tools));
        for (const report of step.reports) await act(report, client, events);
      } catch (e) {
        failed(step, e as Error);
      }
    }
    return done;
  };
  return {
    name: "cluster-autoscaler",
    watches: [
      watch(pods, podKeys),
      watch(nodes, nodeKeys),
      watch(daemonSets),
      watch(podDisruptionBudgets),
      watch(persistentVolumes),
    ],
    listen: (enqueue) => enqueue(statusKey, { type: "scheduled" }),
    async reconcile(_, views) {
      if (!isRecovered) await provider.recover();
      isRecovered = true;
      const provided = await provider.list();
      status ??= await writeStatus(client, "autoscalerStatus: Initializing\n", world.clock.now());
      const now = world.clock.now();
      const decision = decide({ ...observe(views), provided, history, status }, simulation, settings, now);
      history = decision.history;
      const done = await carryOut(decision.steps);
      if (status.data?.["status"] !== decision.status) status = await writeStatus(client, decision.status, now);
      const left = decision.dueAt === undefined ? settings.scanMs : Math.min(settings.scanMs, decision.dueAt - now);
      return { because: decision.because, done, requeueAfter: Math.max(1, left) };
    },
  };
}
