// Daemon sets: one, which users roll out, sometimes with a surge.
import { daemonSets } from "../../../api/apps/daemonsets.ts";
import { controllerRevisions } from "../../../api/apps/controllerrevisions.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { isActive, isReady, untilAvailable } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { DaemonSet, Node, Pod } from "../../../api/generated/types.ts";
import { controllerOf, type Draft, instant, key } from "../../../api/meta.ts";
import { eligibilityOf } from "../../../controllers/daemonset/eligibility.ts";
import { nodeOf } from "../../../controllers/daemonset/pods.ts";
import { boundsOf } from "../../../controllers/daemonset/rollout.ts";
import type { Committed, Rule } from "../judge.ts";
import { beginning } from "../virtual-clock.ts";
import { isDeletedByController, readiness, staleMs } from "./readiness.ts";
import { oneOf, type Workload } from "./workload.ts";

const name = "agent";
const inPlace = { maxSurge: 0, maxUnavailable: 1 };
const surging = { maxSurge: 1, maxUnavailable: 0 };
const draft: Draft<DaemonSet> = {
  kind: "DaemonSet",
  metadata: { name, namespace: "default" },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "main", image: "app:1" }] } },
  },
};

const setOf = (committed: Committed, pod: Pod | undefined): DaemonSet | undefined =>
  pod && committed.withUid(daemonSets, controllerOf(pod)?.uid);
const nodesOf = (set: DaemonSet, committed: Committed): readonly string[] => {
  const eligibility = eligibilityOf(set);
  return committed.all(nodes).flatMap((node) => (eligibility(node).runs ? [node.metadata.name] : []));
};

function rules(): readonly Rule[] {
  const ready = readiness("DaemonSet", (pod) => nodeOf(pod) ?? "");
  let strategyChangedAt = Number.NEGATIVE_INFINITY;
  const changed: Rule<DaemonSet> = {
    name: "",
    kind: daemonSets,
    broken(set, before, { at }) {
      const [now, then] = [set, before].map((s) => s?.spec.updateStrategy?.rollingUpdate?.maxSurge);
      if (now !== then) strategyChangedAt = at;
      return undefined;
    },
  };
  /** When the taints of nodes changed: the controller may not have seen that a daemon is desired there again. */
  const taintedAt = new Map<string, number>();
  const tainted: Rule<Node> = {
    name: "",
    kind: nodes,
    broken(node, before, { at }) {
      const [now, then] = [node, before].map((n) => JSON.stringify(n?.spec.taints));
      if (now !== then) taintedAt.set((node ?? before)!.metadata.name, at);
      return undefined;
    },
  };
  const count: Rule<Pod> = {
    name: "too many daemons on a node",
    kind: pods,
    broken(pod, before, committed) {
      const set = before ? undefined : setOf(committed, pod);
      if (!pod || !set) return undefined;
      const node = nodeOf(pod);
      const active = committed.ownedBy(pods, set.metadata.uid).filter((p) => isActive(p) && nodeOf(p) === node).length;
      const surges = boundsOf(set, 3).surge > 0 || committed.at - strategyChangedAt < staleMs;
      return active > (surges ? 2 : 1) + committed.late("create") ? `${active} on ${node}` : undefined;
    },
  };
  /** Nodes whose pod the controller deleted, until another is ready there. */
  const emptied = new Set<string>();
  /** Only a pod that has been available for a while can make too few available; the controller knows what it deleted. */
  const bounds: Rule<Pod> = {
    name: "daemon rollout out of bounds",
    kind: pods,
    broken(pod, before, committed) {
      const set = setOf(committed, pod);
      if (!pod || !before || !set) return undefined;
      const own = nodeOf(pod)!;
      if (isReady(pod) && !isReady(before)) emptied.delete(own);
      if (!isDeletedByController(pod, before)) return undefined;
      const others = committed.ownedBy(pods, set.metadata.uid).filter((p) => p !== pod && isActive(p));
      const isReplaced = others.some((p) => nodeOf(p) === own);
      // The node keeps a ready pod, whatever is missing elsewhere.
      if (others.some((p) => nodeOf(p) === own && isReady(p))) return undefined;
      if (!isReplaced) emptied.add(own);
      if (committed.at - strategyChangedAt < staleMs) return undefined;
      if (untilAvailable(before, staleMs / 1000, instant(beginning + committed.at)) > 0) return undefined;
      const eligible = nodesOf(set, committed);
      const isSettled = (node: string): boolean => committed.at - (taintedAt.get(node) ?? -staleMs) >= staleMs;
      const missing = eligible.filter((node) =>
        node === own ? !isReplaced : isSettled(node) && (emptied.has(node) || !ready.isRecent(node, committed.at)),
      );
      const { unavailable } = boundsOf(set, eligible.length);
      return missing.length > unavailable + committed.late("delete")
        ? `${missing.join()} of at most ${unavailable}`
        : undefined;
    },
  };
  return [ready.rule, changed, tainted, count, bounds];
}

function faultsOf(set: DaemonSet, committed: Committed): readonly string[] {
  const owned = committed.ownedBy(pods, set.metadata.uid);
  const newest = committed
    .ownedBy(controllerRevisions, set.metadata.uid)
    .toSorted((a, b) => a.revision - b.revision)
    .at(-1);
  const hash = newest?.metadata.labels?.["controller-revision-hash"];
  return committed.all(nodes).flatMap(({ metadata }) => {
    const here = owned.filter((p) => nodeOf(p) === metadata.name);
    const done = here.filter((p) => isReady(p) && p.metadata.labels?.["controller-revision-hash"] === hash).length;
    return done === 1 && here.length === 1
      ? []
      : [`${set.metadata.name}: ${done} of ${here.length} on ${metadata.name}`];
  });
}

export const daemonSetWorkload: Workload = {
  kinds: [controllerRevisions],
  begin: (user) => user.create(daemonSets, draft),
  async meddle(user, random) {
    const dice = random.next();
    const version = String(Math.floor(random.next() * 3));
    const rollingUpdate = oneOf([inPlace, surging], random);
    const spec =
      dice < 0.75 ? { template: { metadata: { annotations: { version } } } } : { updateStrategy: { rollingUpdate } };
    await user.patch(daemonSets, key("default", name), { type: "merge", patch: { spec } });
  },
  rules,
  unsettled: (committed) => committed.all(daemonSets).flatMap((set) => faultsOf(set, committed)),
};
