// Clears away pods nobody else will: those of nodes that are gone, and finished ones when there are too many.
import type { Pod } from "../../api/generated/types.ts";
import { withCondition } from "../../api/conditions.ts";
import { pods } from "../../api/core/pods.ts";
import { instantOf, key, type Instant } from "../../api/meta.ts";
import { isTerminal } from "../../api/core/pod/status.ts";
import type { Action } from "../../machinery/action.ts";
import type { Controller, Decision } from "../../machinery/controller.ts";
import type { ControllerViews } from "../views.ts";

export interface Observed {
  readonly pods: readonly Pod[];
  readonly hasNode: (name: string) => boolean;
  /** Since when each missing node has been missed: a view may be behind. */
  readonly missedSince: (name: string) => Instant | undefined;
  /** Finished pods kept at most. Kubernetes: 12,500. */
  readonly keepFinished: number;
}

/** A node must be missing this long before its pods are given up. Kubernetes: 40 s. */
export const quarantineMs = 40_000;
const periodMs = 20_000;

const giveUp = (pod: Pod): Action => ({
  do: "delete",
  resource: pods,
  object: pod,
  options: { gracePeriodSeconds: 0 },
});

function orphaned(pod: Pod, now: Instant): readonly Action[] {
  if (isTerminal(pod)) return [giveUp(pod)];
  const conditions = withCondition(
    pod.status?.conditions,
    { type: "DisruptionTarget", status: "True", reason: "DeletionByPodGC", message: "PodGC: node no longer exists" },
    now,
  );
  return [{ do: "status", resource: pods, object: pod, status: { ...pod.status, phase: "Failed", conditions } }];
}

export function decide({ pods: all, hasNode, missedSince, keepFinished }: Observed, now: Instant): Decision {
  const lost = all.filter((p) => {
    if (p.spec.nodeName === undefined || hasNode(p.spec.nodeName)) return false;
    const since = missedSince(p.spec.nodeName);
    return since !== undefined && now - since >= quarantineMs;
  });
  const unborn = all.filter((p) => p.spec.nodeName === undefined && p.metadata.deletionTimestamp !== undefined);
  const finished = all
    .filter((p) => isTerminal(p) && !lost.includes(p))
    .toSorted(
      (a, b) =>
        instantOf(a.metadata.creationTimestamp) - instantOf(b.metadata.creationTimestamp) ||
        (a.metadata.name < b.metadata.name ? -1 : 1),
    );
  const excess = finished.slice(0, Math.max(0, finished.length - keepFinished));
  return {
    actions: [...lost.flatMap((p) => orphaned(p, now)), ...unborn.map(giveUp), ...excess.map(giveUp)],
    requeueAfter: periodMs,
  };
}

/** One key: the whole cluster, looked at every 20 s and whenever a node goes. */
export function podGcController(
  views: Pick<ControllerViews, "pods" | "nodes">,
  keepFinished = 12_500,
): Controller<Observed> {
  const missed = new Map<string, Instant>();
  const everything = key(undefined, "cluster");
  const hasNode = (name: string): boolean => views.nodes.lister.get(key(undefined, name)) !== undefined;
  return {
    name: "podgc",
    watches: [
      { informer: views.nodes, keys: (node) => (hasNode(node.metadata.name) ? [] : [everything]) },
      {
        informer: views.pods,
        keys: (p: Pod) =>
          (p.spec.nodeName === undefined ? p.metadata.deletionTimestamp !== undefined : !hasNode(p.spec.nodeName))
            ? [everything]
            : [],
      },
    ],
    observe: () => ({ pods: views.pods.lister.all(), hasNode, missedSince: (name) => missed.get(name), keepFinished }),
    decide: (observed, now) => {
      // Remembering is part of looking; the decision itself stays a function of what it is given.
      for (const p of observed.pods)
        if (p.spec.nodeName !== undefined && !hasNode(p.spec.nodeName) && !missed.has(p.spec.nodeName))
          missed.set(p.spec.nodeName, now);
      for (const name of missed.keys()) if (hasNode(name)) missed.delete(name);
      return decide(observed, now);
    },
  };
}
