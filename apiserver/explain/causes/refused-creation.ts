// Why the API server refused what a controller wanted to create: from its message, in an event or a condition. Pure.
import { resourceQuotas } from "../../../api/core/resourcequotas.ts";
import { serviceAccounts } from "../../../api/core/serviceaccounts.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { CoreV1Event } from "../../../api/generated/types.ts";
import { command, referenceByName } from "../finding.ts";

interface Refusal {
  readonly pattern: RegExp;
  readonly cause: (namespace: string | undefined, match: readonly string[]) => Omit<Cause, "message">;
}

const refusals: readonly Refusal[] = [
  {
    pattern: /exceeded quota: ([^,]+)/,
    cause: (namespace, [, name = ""]) => ({
      reason: "QuotaExceeded",
      object: referenceByName(resourceQuotas, namespace, name),
      next: `raise the quota, or free what it counts: ${command(`describe quota ${name}`, namespace)}`,
    }),
  },
  {
    pattern: /failed quota: ([^:]+): must specify/,
    cause: (namespace, [, name = ""]) => ({
      reason: "QuotaRequiresResources",
      object: referenceByName(resourceQuotas, namespace, name),
      next: "give every container the requests and limits that the quota counts, or a LimitRange with defaults",
    }),
  },
  {
    pattern: /violates PodSecurity/,
    cause: (namespace) => ({
      reason: "PodSecurityViolation",
      next: `correct the securityContext of the template, or the level of the namespace: orrery get namespace ${namespace} --show-labels`,
    }),
  },
  {
    pattern: /error looking up service account [^/]*\/([^:]+): |serviceaccounts? "([^"]+)" not found/,
    cause: (namespace, [, name, other]) => ({
      reason: "ServiceAccountNotFound",
      object: referenceByName(serviceAccounts, namespace, name ?? other ?? ""),
      next: command(`create serviceaccount ${name ?? other}`, namespace),
    }),
  },
  {
    pattern: /admission webhook "([^"]+)"|failed calling webhook "([^"]+)"/,
    cause: () => ({ reason: "WebhookDenied", next: "see the webhook that the message names" }),
  },
  {
    pattern: /no PriorityClass with name (\S+) was found/,
    cause: (_, [, name]) => ({
      reason: "PriorityClassNotFound",
      next: `orrery create priorityclass ${name} --value=1000`,
    }),
  },
  {
    pattern: /is forbidden: (?:minimum|maximum) .* usage per|must be less than or equal to/,
    cause: (namespace) => ({ reason: "LimitRangeViolated", next: command("describe limitrange", namespace) }),
  },
];

/** The cause in the message of a refused creation. */
export function refusedCreation(message: string, namespace: string | undefined): Cause {
  for (const { pattern, cause } of refusals) {
    const match = pattern.exec(message);
    if (match) return { ...cause(namespace, match), message };
  }
  return { reason: "FailedCreate", message, next: "correct what the message names in the template" };
}

const isCreation = ({ reason }: CoreV1Event): boolean => reason === "FailedCreate" || reason === "SuccessfulCreate";
/** The refusal that the last event about a creation tells; undefined if the last creation succeeded. */
export function lastRefusal(events: readonly CoreV1Event[], namespace: string | undefined): Cause | undefined {
  const last = events.findLast(isCreation);
  return last?.reason === "FailedCreate" ? refusedCreation(last.message ?? "", namespace) : undefined;
}
