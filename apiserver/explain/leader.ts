// Parts of explanations that only the leader of a component has: from this process, or from the control plane that
// leads.
import { ApiError } from "../../api/errors.ts";
import type { ExplanationParts, Explanations, PartName } from "../../machinery/explanations.ts";
import type { ToLeader } from "../proxy/leader.ts";

/** The lease of the component that provides a part. */
const leaseOf: Readonly<Record<PartName, string>> = {
  scheduling: "kube-scheduler",
  decisions: "kube-controller-manager",
};
const respondsWithinMs = 5_000;

/** The query parameter of a request for one part, which is never sent on. */
export const partParameter = "part";
export const isPartName = (name: string): name is PartName => Object.hasOwn(leaseOf, name);

/** Reads parts of an object's explanation. Rejects with ServiceUnavailable when no leader can be reached. */
export interface Leaders {
  /** What this process provides; undefined when its component does not lead. */
  local<P extends PartName>(part: P): ExplanationParts[P] | undefined;
  /** The part at the path of an object, from the API server beside the leader. */
  remote(part: PartName, path: string): Promise<unknown>;
}

/** `explanations` has what components of this process provide; the rest is requested from the leader of each. */
export function leadersOf(toLeader: ToLeader, explanations: Explanations | undefined): Leaders {
  return {
    local: (part) => explanations?.of(part),
    async remote(part, path) {
      const request = { method: "GET", path, search: `?${partParameter}=${part}`, headers: {} };
      const { status, body } = await toLeader(leaseOf[part], request, respondsWithinMs);
      const response = JSON.parse(String(body)) as Readonly<Record<string, unknown>>;
      if (status !== 200)
        throw new ApiError(
          "ServiceUnavailable",
          `the control plane that leads ${leaseOf[part]} does not explain this: ${String(response["message"])}`,
        );
      return response[part];
    },
  };
}
