// A quota in a namespace of its own, with a replica set that desires more pods than it allows; users change both.
import { replicaSets } from "../../../api/apps/replicasets.ts";
import { namespaces } from "../../../api/core/namespaces.ts";
import { isActive, isTerminal } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import { resourceQuotas, type ResourceQuota } from "../../../api/core/resourcequotas.ts";
import type { Pod, ReplicaSet } from "../../../api/generated/types.ts";
import { type Draft, key } from "../../../api/meta.ts";
import type { Committed, Rule } from "../judge.ts";
import type { Workload } from "./workload.ts";

const namespace = "team";
const name = "limited";
const replicaSet: Draft<ReplicaSet> = {
  kind: "ReplicaSet",
  metadata: { name, namespace },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "app:1" }] } },
  },
};
const quota: Draft<ResourceQuota> = {
  kind: "ResourceQuota",
  metadata: { name, namespace },
  spec: { hard: { pods: "2" } },
};

const podsOf = (committed: Committed): readonly Pod[] =>
  committed.all(pods).filter((p) => p.metadata.namespace === namespace);
const countedOf = (committed: Committed): number => podsOf(committed).filter((p) => !isTerminal(p)).length;
const quotaOf = (committed: Committed): ResourceQuota | undefined =>
  committed.all(resourceQuotas).find((q) => q.metadata.namespace === namespace);

/** The creation of a pod stays within the limit that is in force; that the limit falls below what exists is no fault. */
const exceeded: Rule<Pod> = {
  name: "quota exceeded",
  kind: pods,
  broken(pod, before, committed) {
    const hard = quotaOf(committed)?.status?.hard?.["pods"];
    if (!pod || before || pod.metadata.namespace !== namespace || hard === undefined) return undefined;
    const counted = countedOf(committed);
    return counted > Number(hard) ? `${counted} of ${hard}` : undefined;
  },
};
/** A quota is committed with the object that it counts, after it. */
const usage: Rule<ResourceQuota> = {
  name: "quota counted wrongly",
  kind: resourceQuotas,
  broken(after, _, committed) {
    const used = after?.status?.used?.["pods"];
    const counted = countedOf(committed);
    return used === undefined || Number(used) === counted ? undefined : `${used} instead of ${counted}`;
  },
};

export const quotaWorkload: Workload = {
  kinds: [replicaSets],
  async begin(user) {
    await user.create(namespaces, { kind: "Namespace", metadata: { name: namespace }, spec: {} });
    await user.create(resourceQuotas, quota);
    await user.create(replicaSets, replicaSet);
  },
  async meddle(user, random) {
    const number = 1 + Math.floor(random.next() * 4);
    const patch = (spec: object) => ({ type: "merge", patch: { spec } }) as const;
    if (random.next() < 0.5)
      await user.patch(resourceQuotas, key(namespace, name), patch({ hard: { pods: String(number) } }));
    else await user.patch(replicaSets, key(namespace, name), patch({ replicas: number }));
  },
  rules: () => [exceeded, usage],
  unsettled(committed) {
    const set = committed.all(replicaSets).find((s) => s.metadata.namespace === namespace);
    const { spec, status } = quotaOf(committed) ?? {};
    const [desired, hard] = [set?.spec.replicas ?? 0, Number(spec?.hard?.["pods"])];
    const active = podsOf(committed).filter(isActive).length;
    const used = Number(status?.used?.["pods"]);
    // Nothing deletes pods because a limit has become lower.
    const isSettled = active <= desired && active >= Math.min(desired, hard) && used === active;
    return isSettled ? [] : [`${active} pods of ${desired} with a limit of ${hard}, ${used} counted`];
  },
};
