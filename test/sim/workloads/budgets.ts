// Disruption budgets: two, each over a deployment, of which several users evict pods at the same time.
import { deployments } from "../../../api/apps/deployments.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { isReady } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Deployment, Pod } from "../../../api/generated/types.ts";
import { type Draft, key, keyOf } from "../../../api/meta.ts";
import { type PodDisruptionBudget, podDisruptionBudgets } from "../../../api/policy/poddisruptionbudgets.ts";
import type { Clock } from "../../../machinery/world.ts";
import type { Client } from "../../../machinery/client.ts";
import type { Committed, Rule } from "../judge.ts";
import { impatient } from "./lost-nodes.ts";
import { staleMs } from "./readiness.ts";
import { oneOf, type Workload } from "./workload.ts";

const namespace = "guarded";
const budgets = { least: { minAvailable: 2 }, most: { maxUnavailable: 1 } } as const;
const names = Object.keys(budgets) as readonly (keyof typeof budgets)[];

const deployment = (name: string): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name, namespace },
  spec: {
    replicas: 4,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { tolerations: impatient, containers: [{ name: "main", image: "app:1" }] },
    },
  },
});
const budget = (name: keyof typeof budgets): Draft<PodDisruptionBudget> => ({
  kind: "PodDisruptionBudget",
  metadata: { name, namespace },
  spec: { ...budgets[name], selector: { matchLabels: { app: name } } },
});

const isOf = (name: string, { metadata }: Pod): boolean =>
  metadata.namespace === namespace && metadata.labels?.["app"] === name;
const isHealthy = (pod: Pod | undefined): boolean =>
  pod !== undefined && isReady(pod) && pod.metadata.deletionTimestamp === undefined;
const noted = (pod: Pod | undefined): boolean =>
  pod?.status?.conditions?.some((c) => c.type === "DisruptionTarget" && c.reason === "EvictionByEvictionAPI") === true;
const budgetOf = (name: string, committed: Committed): PodDisruptionBudget | undefined =>
  committed.all(podDisruptionBudgets).find(({ metadata }) => metadata.name === name);
const healthyOf = (name: string, committed: Committed): number =>
  committed.all(pods).filter((pod) => isOf(name, pod) && isHealthy(pod)).length;

/** How many pods of a budget must be healthy. */
function requiredBy(name: string, committed: Committed): number {
  const { minAvailable, maxUnavailable } = budgetOf(name, committed)?.spec ?? {};
  const replicas = committed.all(deployments).find(({ metadata }) => metadata.name === name)?.spec.replicas ?? 0;
  return minAvailable === undefined ? Math.max(0, replicas - Number(maxUnavailable)) : Number(minAvailable);
}

/** What happened to the pods of a budget that its status may not contain yet. */
interface Recent {
  /** Times at which a pod stopped to be healthy, other than by an eviction. */
  readonly losses: number[];
  /** Earlier numbers of pods that had to be healthy, and until when each was in force. */
  readonly required: { readonly number: number; readonly until: number }[];
  /** When the status last was what the pods are. */
  exactAt: number;
}

/** An eviction is judged by the pods as they are, less those that were lost before the controller could count them. */
function rules(): readonly Rule[] {
  const recent = new Map<string, Recent>(names.map((name) => [name, { losses: [], required: [], exactAt: 0 }]));
  const notedAt = new Map<string, number>();
  const settle = (name: string, committed: Committed): Recent => {
    const known = recent.get(name)!;
    const { currentHealthy, desiredHealthy, disruptedPods = {} } = budgetOf(name, committed)?.status ?? {};
    const counted = committed.all(pods).filter((p) => isOf(name, p) && isHealthy(p) && !disruptedPods[p.metadata.name]);
    const isExact = currentHealthy === counted.length && desiredHealthy === requiredBy(name, committed);
    if (isExact) known.exactAt = committed.at;
    return known;
  };
  /** From when on something may not be in the status yet. */
  const since = ({ exactAt }: Recent, at: number): number => Math.min(exactAt, at - staleMs);
  const resized: Rule<Deployment> = {
    name: "",
    kind: deployments,
    broken(after, before, committed) {
      const { name, namespace: own } = (after ?? before)!.metadata;
      if (own !== namespace || before?.spec.replicas === after?.spec.replicas) return undefined;
      const { maxUnavailable } = budgetOf(name, committed)?.spec ?? {};
      if (maxUnavailable === undefined) return undefined;
      const number = Math.max(0, (before?.spec.replicas ?? 0) - Number(maxUnavailable));
      settle(name, committed).required.push({ number, until: committed.at });
      return undefined;
    },
  };
  const eviction: Rule<Pod> = {
    name: "eviction beyond the budget",
    kind: pods,
    broken(after, before, committed) {
      const pod = (after ?? before)!;
      const name = names.find((n) => isOf(n, pod));
      if (name === undefined) return undefined;
      const { at } = committed;
      const { uid } = pod.metadata;
      if (noted(after) && !noted(before)) notedAt.set(uid, at);
      const isLost = isHealthy(before) && !isHealthy(after);
      const known = isLost ? recent.get(name)! : settle(name, committed);
      if (!isLost) return undefined;
      // An eviction takes no time: what is deleted later was not evicted.
      const isEviction = notedAt.get(uid) === at && after?.metadata.deletionTimestamp !== undefined;
      if (!isEviction) {
        known.losses.push(at);
        return undefined;
      }
      const from = since(known, at);
      const lost = known.losses.filter((time) => time >= from).length;
      const required = Math.min(
        requiredBy(name, committed),
        ...known.required.filter(({ until }) => until >= from).map(({ number }) => number),
      );
      const healthy = healthyOf(name, committed);
      return healthy + lost < required ? `${healthy} of ${required} left, ${lost} were lost before` : undefined;
    },
  };
  return [resized, eviction];
}

/** Evicts all pods of a budget, several times each where it is refused, as a drain does. */
async function drain(user: Client, name: string, clock: Clock): Promise<void> {
  const { items } = await user.list(pods, { namespace, labelSelector: `app=${name}` });
  const evict = async (pod: Pod): Promise<void> => {
    for (let attempt = 0; attempt < 3; attempt++) {
      const isDone = await user.evict(keyOf(pod)).then(
        () => true,
        () => false,
      );
      if (isDone) return;
      await clock.sleep(5_000);
    }
  };
  await Promise.all(items.map(evict));
}

export const budgetWorkload: Workload = {
  kinds: [deployments, podDisruptionBudgets],
  async begin(user) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    for (const name of names) {
      await user.create(podDisruptionBudgets, budget(name));
      await user.create(deployments, deployment(name));
    }
  },
  async meddle(user, random, clock) {
    const name = oneOf(names, random)!;
    const dice = random.next();
    // Two users that know nothing of each other.
    if (dice < 0.7) await Promise.all([drain(user, name, clock), drain(user, name, clock)]);
    else if (dice < 0.85) {
      const replicas = 3 + Math.floor(random.next() * 3);
      await user.patch(deployments, key(namespace, name), { type: "merge", patch: { spec: { replicas } } });
    } else {
      const pod = oneOf((await user.list(pods, { namespace })).items, random);
      if (pod) await user.delete(pods, keyOf(pod));
    }
  },
  rules,
  unsettled: (committed) =>
    names.flatMap((name) => {
      const { currentHealthy, desiredHealthy, disruptionsAllowed } = budgetOf(name, committed)?.status ?? {};
      const [healthy, required] = [healthyOf(name, committed), requiredBy(name, committed)];
      const isSettled =
        currentHealthy === healthy && desiredHealthy === required && disruptionsAllowed === healthy - required;
      return isSettled
        ? []
        : [`${name}: ${currentHealthy} of ${healthy} healthy counted, ${disruptionsAllowed} allowed`];
    }),
};
