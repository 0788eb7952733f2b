// How much of a node its pods request.
import type { Node, Pod } from "../generated/types.ts";
import { amountsOf, effectiveRequests } from "./pod/status.ts";

export interface Utilization {
  readonly ratio: number;
  readonly resource: string;
}

/** The greatest part of a resource of a node that its pods request, and that resource. */
export function utilizationOf({ status }: Node, pods: readonly Pod[]): Utilization {
  const allocatable = amountsOf(status?.allocatable);
  const requests = pods.map((pod) => effectiveRequests(pod));
  const utilizations = ["cpu", "memory"].map((resource) => {
    const requested = requests.reduce((sum, r) => sum + (r[resource] ?? 0), 0);
    const total = allocatable[resource] ?? 0;
    return { resource, ratio: total === 0 ? 0 : requested / total };
  });
  return utilizations.reduce((most, other) => (other.ratio > most.ratio ? other : most));
}
export const percent = (ratio: number): string => `${Math.round(ratio * 100)}%`;
