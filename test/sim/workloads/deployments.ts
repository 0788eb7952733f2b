// Deployments: three of them, which users resize, roll out and pause.
import { deployments } from "../../../api/apps/deployments.ts";
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { isActive, isReady } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Deployment, Pod, ReplicaSet, Toleration } from "../../../api/generated/types.ts";
import { controllerOf, type Draft, key } from "../../../api/meta.ts";
import { boundsOf } from "../../../controllers/deployment/rollout.ts";
import type { Rule } from "../judge.ts";
import { impatient } from "./lost-nodes.ts";
import { oneOf, type Workload } from "./workload.ts";

const draft = (name: string, replicas: number, tolerations: readonly Toleration[]): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name, namespace: "default" },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { tolerations, containers: [{ name: "main", image: "app:1", resources: { requests: { cpu: "100m" } } }] },
    },
  },
});

function rules(): readonly Rule[] {
  /** What a set wanted just before: a decision made on it may still be on its way. */
  const desiredBefore = new Map<string, number>();
  const bounds: Rule<ReplicaSet> = {
    name: "rollout out of bounds",
    kind: replicaSets,
    broken(set, before, committed) {
      if (before) desiredBefore.set(before.metadata.uid, before.spec.replicas ?? 0);
      const deployment = set && committed.withUid(deployments, controllerOf(set)?.uid);
      if (!deployment || set.spec.replicas === before?.spec.replicas) return undefined;
      const grew = (set.spec.replicas ?? 0) > (before?.spec.replicas ?? 0);
      const sets = committed.ownedBy(replicaSets, deployment.metadata.uid);
      const total = sets.reduce((sum, s) => sum + (s.spec.replicas ?? 0), 0);
      const { desired, surge, unavailable } = boundsOf(deployment);
      const isOutside = grew ? total > desired + surge : total < desired - unavailable;
      return isOutside ? `${deployment.metadata.name}: ${total} of ${desired} (+${surge} -${unavailable})` : undefined;
    },
  };
  /** Only the creation of a pod can make too many; that the desired number falls below what runs is no fault. */
  const count: Rule<Pod> = {
    name: "too many pods",
    kind: pods,
    broken(pod, before, committed) {
      const set = pod && !before ? committed.withUid(replicaSets, controllerOf(pod)?.uid) : undefined;
      if (!set) return undefined;
      const { name, uid } = set.metadata;
      const desired = Math.max(set.spec.replicas ?? 0, desiredBefore.get(uid) ?? 0);
      const excess = committed.ownedBy(pods, uid).filter(isActive).length - desired;
      return excess > committed.late("create") ? `${name}: ${excess} above ${desired}` : undefined;
    },
  };
  return [bounds, count];
}

export const deploymentWorkload: Workload = {
  kinds: [deployments],
  async begin(user) {
    for (const [i, size] of [4, 3, 3].entries())
      await user.create(deployments, draft(`app-${i}`, size, i === 0 ? impatient : []));
  },
  async meddle(user, random) {
    const deployment = oneOf((await user.list(deployments, { namespace: "default" })).items, random);
    if (deployment === undefined) return;
    const merge = (spec: object): Promise<unknown> =>
      user.patch(deployments, key("default", deployment.metadata.name), { type: "merge", patch: { spec } });
    const dice = random.next();
    const version = String(Math.floor(random.next() * 3));
    if (dice < 0.5) await merge({ template: { metadata: { annotations: { version } } } });
    else if (dice < 0.88) await merge({ replicas: Math.floor(random.next() * 6) });
    else await merge({ paused: !deployment.spec.paused });
  },
  async heal(user) {
    for (const d of (await user.list(deployments, { namespace: "default" })).items)
      if (d.spec.paused) {
        const patch = { spec: { paused: false } };
        await user.patch(deployments, key("default", d.metadata.name), { type: "merge", patch });
      }
  },
  rules,
  unsettled: (committed) =>
    committed.all(deployments).flatMap((d) => {
      const desired = d.spec.replicas ?? 1;
      const active = committed.all(pods).filter((p) => isActive(p) && p.metadata.labels?.["app"] === d.metadata.name);
      const ready = active.filter(isReady).length;
      return ready === desired && active.length === desired
        ? []
        : [`${d.metadata.name}: ${ready} ready of ${active.length}, ${desired} desired`];
    }),
};
