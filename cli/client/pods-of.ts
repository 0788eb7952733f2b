// Resolves `web-1`, `pod/web-1` or `deploy/web` to pods, the most useful one first.
import type { LabelSelector, Pod } from "../../api/generated/types.ts";
import { conditionOf, isReady } from "../../api/core/pod/status.ts";
import { type ApiError, hasReason } from "../../api/errors.ts";
import { type ApiObject, instantOf } from "../../api/meta.ts";
import { selectorText } from "../../api/selector.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { serverError } from "../program/report.ts";
import type { Connection } from "./connection.ts";
import { didYouMean } from "./named-objects.ts";
import { query } from "./resources.ts";
import type { Session } from "./session.ts";
import { type Target, targetPath } from "./targets.ts";

const workloads = ["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"];

/** The label selector of the pods of an object. Throws CliError in kubectl's words for kinds that have none. */
export function selectorOf(
  { apiVersion, kind, spec }: ApiObject & { readonly spec?: unknown },
  purpose: string,
): string {
  const { selector } = (spec ?? {}) as { readonly selector?: unknown };
  if (workloads.includes(kind)) return selectorText(selector as LabelSelector);
  if (kind === "Service" || kind === "ReplicationController")
    return selectorText({ matchLabels: (selector ?? {}) as Readonly<Record<string, string>> });
  const type = `*${apiVersion?.split("/").at(-1)}.${kind}`;
  throw new CliError(`cannot ${purpose} ${type}: selector for ${type} not implemented`);
}

/** Pods that match a label selector. */
export const podsMatching = (api: Connection, namespace: string, labelSelector: string): Promise<readonly Pod[]> =>
  api.list(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods${query({ labelSelector })}`);

const phases = ["Pending", "Unknown", "Running"];
const restarts = ({ status }: Pod): number =>
  Math.max(0, ...(status?.containerStatuses ?? []).map((s) => s.restartCount ?? 0));
const since = (time: string | undefined): number => (time === undefined ? Number.POSITIVE_INFINITY : instantOf(time));

/** What a pod is compared by; larger is more useful. */
const usefulness = (pod: Pod): readonly number[] => [
  Number(Boolean(pod.spec.nodeName)),
  phases.indexOf(pod.status?.phase ?? ""),
  Number(isReady(pod)),
  -since(isReady(pod) ? conditionOf(pod.status?.conditions, "Ready")?.lastTransitionTime : undefined),
];

/** Orders pods as kubectl does: assigned, running, ready, ready for long, with many or few restarts, old. */
export function mostUsefulFirst(pods: readonly Pod[], prefersRestarted: boolean): readonly Pod[] {
  const values = (pod: Pod): readonly number[] => [
    ...usefulness(pod),
    prefersRestarted ? restarts(pod) : -restarts(pod),
    -since(pod.metadata.creationTimestamp),
  ];
  return pods.toSorted((a, b) => {
    const [x, y] = [values(a), values(b)];
    const at = x.findIndex((value, i) => value !== y[i]);
    return at < 0 ? 0 : y[at]! - x[at]!;
  });
}

/** How the pods of a workload are chosen. */
export interface PodChoice {
  /** What the command does, for the error about kinds without pods: `get the logs from`. */
  readonly purpose: string;
  readonly prefersRestarted: boolean;
  /** How long to wait for the first pod of a workload. */
  readonly timeoutMs: number;
}

/** The pod of a target, or the pods of a workload or service. Waits until there is one. */
export async function podsOf({ api, namespace }: Session, target: Target, choice: PodChoice): Promise<readonly Pod[]> {
  const object = await api
    .get<Pod | (ApiObject & { readonly spec?: unknown })>(targetPath(target))
    .catch(async (error: unknown) => {
      const isMissing = hasReason(error, "NotFound") && target.resource.kind === "Pod";
      const advice = isMissing
        ? await didYouMean({ api, namespace: target.namespace ?? namespace }, target.name!)
        : undefined;
      throw advice === undefined ? error : new CliError(serverError(error as ApiError), advice, { isBare: true });
    });
  if (object.kind === "Pod") return [object as Pod];
  const selector = selectorOf(object, choice.purpose);
  const { clock } = realWorld(() => {});
  const deadline = clock.now() + choice.timeoutMs;
  for (;;) {
    const pods = await podsMatching(api, target.namespace ?? namespace, selector);
    if (pods.length > 0) return mostUsefulFirst(pods, choice.prefersRestarted);
    if (clock.now() >= deadline) throw new CliError("timed out waiting for the condition");
    await clock.sleep(200);
  }
}
