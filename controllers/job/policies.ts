// The pod failure policy, which defines the effect of a pod failure, and the success policy, which defines when enough
// indexes have succeeded. Source: KEP-3329, KEP-3998.
import type {
  ContainerStatus,
  Job,
  Pod,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
} from "../../api/generated/types.ts";
import { isFailed } from "./pods.ts";
import { type Indexes, parseIndexes, sharedCount, sizeOf } from "./indexes.ts";

/** What a failure means: `counts` towards the back-off limit; `message` of a rule that fails the job. */
interface FailureMeaning {
  readonly counts: boolean;
  readonly action?: PodFailurePolicyRule["action"];
  readonly message?: string;
}

function failedContainer(
  statuses: readonly ContainerStatus[] | undefined,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): ContainerStatus | undefined {
  return statuses?.find(({ name, state }) => {
    const code = state?.terminated?.exitCode;
    if (code === undefined || code === 0 || (containerName !== undefined && containerName !== name)) return false;
    return values.includes(code) === (operator === "In");
  });
}

/** The part of a rule that a failed pod matches, for the message. */
function matched({ metadata, status }: Pod, { onExitCodes, onPodConditions = [] }: PodFailurePolicyRule) {
  const pod = `${metadata.namespace}/${metadata.name}`;
  if (onExitCodes) {
    const container =
      failedContainer(status?.containerStatuses, onExitCodes) ??
      failedContainer(status?.initContainerStatuses, onExitCodes);
    const code = container?.state?.terminated?.exitCode;
    return container && `Container ${container.name} for pod ${pod} failed with exit code ${code}`;
  }
  const condition = status?.conditions?.find((c) =>
    onPodConditions.some((pattern) => pattern.type === c.type && (pattern.status ?? "True") === c.status),
  );
  return condition && `Pod ${pod} has condition ${condition.type}`;
}

/** The meaning of a failure by the first rule that matches; without one it counts. */
export function meaningOf({ spec }: Job, pod: Pod): FailureMeaning {
  for (const [i, rule] of (spec.podFailurePolicy?.rules ?? []).entries()) {
    const what = matched(pod, rule);
    if (what === undefined) continue;
    const { action } = rule;
    if (action === "Ignore") return { counts: false, action };
    if (action !== "FailJob") return { counts: true, action };
    return { counts: true, action, message: `${what} matching ${action} rule at index ${i}` };
  }
  return { counts: true };
}

/** Why the pod failure policy fails the job. */
export function jobFailure(job: Job, pods: readonly Pod[]): string | undefined {
  if (job.spec.podFailurePolicy === undefined) return undefined;
  for (const pod of pods) {
    const message = isFailed(pod, job) ? meaningOf(job, pod).message : undefined;
    if (message !== undefined) return message;
  }
  return undefined;
}

/** Which rule of the success policy the succeeded indexes meet. */
export function successBy({ spec }: Job, succeeded: Indexes): string | undefined {
  if (succeeded.length === 0) return undefined;
  const rule = (spec.successPolicy?.rules ?? []).findIndex(({ succeededIndexes, succeededCount }) => {
    if (succeededIndexes === undefined) return succeededCount !== undefined && sizeOf(succeeded) >= succeededCount;
    const required = parseIndexes(succeededIndexes, spec.completions ?? 0);
    return required.length > 0 && sharedCount(required, succeeded) >= (succeededCount ?? sizeOf(required));
  });
  return rule < 0 ? undefined : `Matched rules at index ${rule}`;
}
