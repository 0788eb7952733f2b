// The descheduler, with deployments that users resize and nodes that they taint: pods move while everything fails, and
// in peace it comes to an end.
import { deployments } from "../../../api/apps/deployments.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { isReady } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Deployment, Pod, PodSpec } from "../../../api/generated/types.ts";
import { controllerOf, type Draft, instant, key, keyOf } from "../../../api/meta.ts";
import { podDisruptionBudgets } from "../../../api/policy/poddisruptionbudgets.ts";
import { reschedulingSimulation } from "../../../cli/simulation.ts";
import { descheduler } from "../../../controllers/descheduler/controller.ts";
import { planOf } from "../../../controllers/descheduler/plan.ts";
import { defaultSettings } from "../../../controllers/descheduler/ports.ts";
import { noProgress } from "../../../controllers/descheduler/run.ts";
import { defaultStrategies } from "../../../controllers/descheduler/strategies.ts";
import type { Client } from "../../../machinery/client.ts";
import { sharedViews } from "../../../machinery/informer.ts";
import { runReconciler } from "../../../machinery/reconcile.ts";
import type { Committed, Rule } from "../judge.ts";
import { beginning } from "../virtual-clock.ts";
import { impatient } from "./lost-nodes.ts";
import { oneOf, type ComponentOf, type Workload } from "./workload.ts";

const namespace = "moving";
const settings = { ...defaultSettings, strategies: defaultStrategies, namespace, patienceMs: 20_000 };
const simulation = reschedulingSimulation({ packing: "MostAllocated" });

const sizes = { small: "50m", large: "150m" } as const;
const names = Object.keys(sizes) as readonly (keyof typeof sizes)[];
const spread: Partial<PodSpec> = {
  topologySpreadConstraints: [
    {
      ...{ topologyKey: "kubernetes.io/hostname", maxSkew: 2, whenUnsatisfiable: "DoNotSchedule" },
      labelSelector: { matchLabels: { app: "small" } },
    },
  ],
};
const deployment = (name: keyof typeof sizes): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        tolerations: impatient,
        containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: sizes[name] } } }],
        ...(name === "small" && spread),
      },
    },
  },
});
/** A pod that nothing replaces. */
const alone: Draft<Pod> = {
  kind: "Pod",
  metadata: { name: "alone", namespace },
  spec: { containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: "20m" } } }] },
};

const component: ComponentOf =
  ({ world, decided }) =>
  async (client, signal) => {
    const views = sharedViews(client, world);
    const runtime = { client, world, views, ...(decided && { decisions: { record: decided, of: () => [] } }) };
    const controller = descheduler(client, world, { simulation, settings, periodMs: 15_000 });
    await Promise.all([runReconciler(controller, runtime, signal), views.run(signal)]);
  };

const isEvicted = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some((c) => c.type === "DisruptionTarget" && c.reason === "EvictionByEvictionAPI") === true;
const unreplaced: Rule<Pod> = {
  name: "pod evicted that nothing replaces",
  kind: pods,
  broken: (after, before) =>
    after?.metadata.namespace === namespace && isEvicted(after) && !isEvicted(before) && !controllerOf(after)
      ? after.metadata.name
      : undefined,
};

/** Taints a node, or takes the taint away. */
async function dedicate(user: Client, name: string, isDedicated: boolean): Promise<void> {
  const node = await user.get(nodes, key(undefined, name));
  const others = (node.spec.taints ?? []).filter((taint) => taint.key !== "dedicated");
  const taints = isDedicated ? [...others, { key: "dedicated", value: "x", effect: "NoSchedule" as const }] : others;
  await user.update(nodes, { ...node, spec: { ...node.spec, taints } });
}

/** What a run would still move. */
function leftToMove(committed: Committed): readonly string[] {
  const cluster = {
    ...{ nodes: committed.all(nodes), pods: committed.all(pods), budgets: committed.all(podDisruptionBudgets) },
    objectsOf: () => [],
  };
  const now = instant(committed.at + beginning);
  const { moves } = planOf({ cluster, simulation, settings, now, ...noProgress });
  return moves.map(({ pod, to, because }) => `${keyOf(pod)} could go to ${to}: ${because}`);
}

export const rebalancingWorkload: Workload = {
  kinds: [deployments, pods, podDisruptionBudgets],
  component,
  async begin(user) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await user.create(podDisruptionBudgets, {
      kind: "PodDisruptionBudget",
      metadata: { name: "large", namespace },
      spec: { maxUnavailable: 1, selector: { matchLabels: { app: "large" } } },
    });
    for (const name of names) await user.create(deployments, deployment(name));
    // Its service account comes once time passes.
    user.create(pods, alone).catch(() => {});
  },
  async meddle(user, random) {
    const dice = random.next();
    const node = oneOf((await user.list(nodes)).items, random);
    if (dice < 0.6) {
      const replicas = Math.floor(random.next() * 5);
      const name = oneOf(names, random)!;
      await user.patch(deployments, key(namespace, name), { type: "merge", patch: { spec: { replicas } } });
    } else if (node) await dedicate(user, node.metadata.name, dice < 0.8);
  },
  async heal(user) {
    for (const { metadata } of (await user.list(nodes)).items) await dedicate(user, metadata.name, false);
  },
  rules: () => [unreplaced],
  unsettled: (committed) => [
    ...committed
      .all(deployments)
      .filter(({ metadata }) => metadata.namespace === namespace)
      .flatMap(({ metadata: { name }, spec }) => {
        const ready = committed
          .all(pods)
          .filter((p) => p.metadata.namespace === namespace && p.metadata.labels?.["app"] === name && isReady(p));
        return ready.length === spec.replicas ? [] : [`${name}: ${ready.length} pods ready of ${spec.replicas}`];
      }),
    ...leftToMove(committed),
  ],
};
