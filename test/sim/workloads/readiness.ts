// Which pods were ready a moment ago: a decision may have been made on that, and be committed only now.
import { isReady } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import type { Pod } from "../../../api/generated/types.ts";
import { controllerOf } from "../../../api/meta.ts";
import type { Rule } from "../judge.ts";

/** How far what a controller acted on may lie back: a stale view, and a request that arrives late. Milliseconds. */
export const staleMs = 30_000;

/** The grace period by which a user's deletion can be told from a controller's. Seconds. */
export const userGraceSeconds = 7;

export interface Readiness {
  /** Remembers; it is broken by nothing, and comes before the rules that ask. */
  readonly rule: Rule<Pod>;
  /** Whether a pod under this key was ready at any time of the last moments. */
  isRecent(key: string, now: number): boolean;
}

const isUp = (pod: Pod | undefined): boolean =>
  pod !== undefined && isReady(pod) && pod.metadata.deletionTimestamp === undefined;

/** Remembers the readiness of the pods of one kind of controller, under a key of each pod. */
export function readiness(kind: string, keyOf: (pod: Pod) => string): Readiness {
  const up = new Map<string, Set<string>>();
  const lastUp = new Map<string, number>();
  return {
    rule: {
      name: "",
      kind: pods,
      broken(after, before, { at }) {
        const pod = (after ?? before)!;
        if (controllerOf(pod)?.kind !== kind) return undefined;
        const key = keyOf(pod);
        const uids = up.get(key) ?? new Set();
        up.set(key, uids);
        if (isUp(after)) uids.add(pod.metadata.uid);
        else if (uids.delete(pod.metadata.uid)) lastUp.set(key, at);
        return undefined;
      },
    },
    isRecent: (key, now) => (up.get(key)?.size ?? 0) > 0 || now - (lastUp.get(key) ?? -Infinity) < staleMs,
  };
}

/** Whether this change is a deletion that neither a user nor an eviction began. */
export const isDeletedByController = (after: Pod | undefined, before: Pod | undefined): boolean =>
  after?.metadata.deletionTimestamp !== undefined &&
  before?.metadata.deletionTimestamp === undefined &&
  after.metadata.deletionGracePeriodSeconds !== userGraceSeconds &&
  !after.status?.conditions?.some(({ type }) => type === "DisruptionTarget");
