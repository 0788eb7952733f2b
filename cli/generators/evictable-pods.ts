// `drain`: which pods of a node are deleted, which stay, and which stop the drain. Pure.
import type { Pod } from "../../api/generated/types.ts";
import type { Instant } from "../../api/meta.ts";

export interface DrainFlags {
  readonly force?: boolean;
  readonly ignoreDaemonsets?: boolean;
  readonly deleteEmptydirData?: boolean;
  /** Seconds after which a pod that is being deleted is not waited for; 0 waits for all. */
  readonly skipWaitForDeleteTimeout: number;
}

/** What becomes of a pod: deleted or not, and why. */
interface Verdict {
  readonly deletes: boolean;
  readonly warning?: string;
  readonly error?: string;
}
const goes: Verdict = { deletes: true };
const stays: Verdict = { deletes: false };
const stops = (error: string): Verdict => ({ deletes: false, error });

const hasEnded = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";

type Rule = (pod: Pod, flags: DrainFlags, now: Instant) => Verdict;

const controllerOf = ({ metadata }: Pod) => (metadata.ownerReferences ?? []).find(({ controller }) => controller);

/** In this order; the first that does not delete decides. */
const rules: readonly Rule[] = [
  ({ metadata }, { skipWaitForDeleteTimeout: seconds }, now) => {
    const { deletionTimestamp } = metadata;
    if (seconds === 0 || deletionTimestamp === undefined) return goes;
    return now - Date.parse(String(deletionTimestamp)) > seconds * 1000 ? stays : goes;
  },
  (pod, { ignoreDaemonsets }) => {
    if (controllerOf(pod)?.kind !== "DaemonSet" || hasEnded(pod)) return goes;
    if (!ignoreDaemonsets) return stops("cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)");
    return { deletes: false, warning: "ignoring DaemonSet-managed Pods" };
  },
  ({ metadata }) => (metadata.annotations?.["kubernetes.io/config.mirror"] === undefined ? goes : stays),
  (pod, { deleteEmptydirData }) => {
    const isLocal = (pod.spec.volumes ?? []).some(({ emptyDir }) => emptyDir !== undefined);
    if (!isLocal || hasEnded(pod) || deleteEmptydirData) return goes;
    return stops("cannot delete Pods with local storage (use --delete-emptydir-data to override)");
  },
  (pod, { force }) => {
    if (controllerOf(pod) || hasEnded(pod)) return goes;
    if (!force) return stops("cannot delete Pods that declare no controller (use --force to override)");
    return { deletes: true, warning: "deleting Pods that declare no controller" };
  },
];

function verdictOf(pod: Pod, flags: DrainFlags, now: Instant): Verdict {
  let verdict = goes;
  for (const rule of rules) {
    verdict = rule(pod, flags, now);
    if (!verdict.deletes) return verdict;
  }
  return verdict;
}

export interface Evictable {
  readonly pods: readonly Pod[];
  /** `reason: namespace/pod, namespace/pod`. */
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
}

/** The pods that a drain deletes, with warnings; any error stops it. */
export function evictablePods(all: readonly Pod[], flags: DrainFlags, now: Instant): Evictable {
  const judged = all.map((pod) => ({ pod, verdict: verdictOf(pod, flags, now) }));
  const grouped = (field: "warning" | "error"): readonly string[] =>
    [
      ...Map.groupBy(
        judged.filter(({ verdict }) => verdict[field] !== undefined),
        ({ verdict }) => verdict[field],
      ),
    ].map(
      ([reason, group]) =>
        `${reason}: ${group.map(({ pod: { metadata } }) => `${metadata.namespace}/${metadata.name}`).join(", ")}`,
    );
  const pods = judged.filter(({ verdict }) => verdict.deletes).map(({ pod }) => pod);
  return { pods, warnings: grouped("warning"), errors: grouped("error") };
}
