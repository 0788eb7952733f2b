// Parts of explanations that only the leader of a component has: from this process, or from the control plane that
// leads.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { leases } from "../../api/coordination/leases.ts";
import { ApiError, ifFound } from "../../api/errors.ts";
import type { Lease } from "../../api/generated/types.ts";
import { key } from "../../api/meta.ts";
import type { ExplanationParts, Explanations, PartName } from "../../machinery/explanations.ts";
import { type KubeletTls, limitWait, textOf } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";

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

export function leadersOf(registry: Registry, explanations: Explanations | undefined, tls: KubeletTls): Leaders {
  return {
    local: (part) => explanations?.of(part),
    async remote(part, path) {
      const lease = leaseOf[part];
      const stored = await ifFound(registry.get(leases, key("kube-system", lease)));
      const holder = stored && objectOf<Lease>(stored).spec.holderIdentity;
      const [, host, port] = /_([^_]+):(\d+)$/.exec(holder ?? "") ?? [];
      if (host === undefined)
        throw new ApiError("ServiceUnavailable", `no ${lease} is running that could explain this`);
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const upstream = httpsRequest(
          { host, port, path: `${path}?${partParameter}=${part}`, ...tls, agent: false },
          resolve,
        );
        upstream.on("error", (e) =>
          reject(new ApiError("ServiceUnavailable", `${lease} cannot be reached: ${e.message}`)),
        );
        limitWait(upstream, registry.world.clock, respondsWithinMs);
        upstream.end();
      });
      const body = JSON.parse(await textOf(response)) as Readonly<Record<string, unknown>>;
      if (response.statusCode !== 200)
        throw new ApiError(
          "ServiceUnavailable",
          `no ${lease} is running that could explain this: ${String(body["message"])}`,
        );
      return body[part];
    },
  };
}
