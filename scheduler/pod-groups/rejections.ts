// What becomes of the pods of a group that are not bound: back to the queue, with a condition and an event.
import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/meta.ts";
import { type CyclePorts, isSame } from "../ports.ts";
import type { Rejected } from "../report.ts";
import type { MemberDecision } from "./place-group.ts";

export const unschedulableGroup = "pod group is unschedulable";
export const belowQuorum = `${unschedulableGroup}, waiting for minCount pods from a gang to be scheduled`;

/** The pod is expected on a node; or stays where it is expected; or is not expected anywhere. */
export type Expectation = { readonly nodeName: string } | "kept" | "none";

interface Rejections {
  /** A pod that found no node, or found one in vain. */
  member(decision: MemberDecision, expectation: Expectation): Promise<void>;
  /** Errors: the pods are tried again after their back-off. */
  fail(pods: readonly Pod[], messageFor: (pod: Pod) => string): Promise<unknown>;
}

/** What these return settles when it is written. */
export function rejections({ view, client, queue, cache, report }: CyclePorts): Rejections {
  /** Unless the pod has left the queue meanwhile. */
  const reject = (pod: Pod, rejected: Rejected, rejectors: ReadonlySet<string> | "Error"): Promise<void> => {
    const key = keyOf(pod);
    if (!isSame(view.lister.get(key), pod)) return Promise.resolve();
    if (rejectors === "Error") queue.fail(key);
    else queue.reject(key, rejectors);
    return report(pod, rejected);
  };
  return {
    async member({ pod, placement, rejection }, expectation) {
      if (expectation === "none") cache.nominate(pod, undefined);
      const nominated =
        expectation === "kept" ? {} : { nominatedNodeName: expectation === "none" ? "" : expectation.nodeName };
      if (placement.outcome === "unschedulable") {
        const { message, rejectors, effect } = placement.diagnosis;
        const reported = reject(pod, { message, ...nominated }, rejectors);
        await effect?.(client);
        return reported;
      }
      if (rejection) {
        const message = rejection.status.reasons.join(", ");
        if (rejection.status.code === "Error") return reject(pod, { message, reason: "SchedulerError" }, "Error");
        return reject(pod, { message }, new Set([rejection.plugin]));
      }
      const message = expectation === "none" ? belowQuorum : unschedulableGroup;
      // Elsewhere this pod may make room for the others: every change may help.
      return reject(pod, { message, ...nominated }, new Set());
    },
    fail: (pods, messageFor) =>
      Promise.all(pods.map((pod) => reject(pod, { message: messageFor(pod), reason: "SchedulerError" }, "Error"))),
  };
}
