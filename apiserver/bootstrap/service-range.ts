// The ServiceCIDR object for the range from which this server allocates cluster addresses.
import { hasReason } from "../../api/errors.ts";
import { serviceCidrs } from "../../api/networking/servicecidrs.ts";
import { type Instant, key, timestamp } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Condition } from "../../api/generated/types.ts";
import type { Client } from "../../machinery/client.ts";

const name = "kubernetes";
/** What has to be there. */
export const serviceRange = (cidr: string) => [serviceCidrs, { metadata: { name }, spec: { cidrs: [cidr] } }] as const;

/** Says that the range is ready, unless it is another one than ours. */
export async function serviceRangeIsReady(client: Client, cidr: string, now: Instant): Promise<void> {
  const range = await client.get(serviceCidrs, key(undefined, name));
  const { conditions = [] } = range.status ?? {};
  if (conditionOf(conditions, "Ready") || range.spec?.cidrs?.[0] !== cidr) return;
  const message = "Kubernetes default Service CIDR is ready";
  const ready: Condition = { type: "Ready", status: "True", reason: "", message, lastTransitionTime: timestamp(now) };
  try {
    await client.update(serviceCidrs, { ...range, status: { conditions: [...conditions, ready] } }, "status");
  } catch (e) {
    // Another server that starts just now was faster.
    if (!hasReason(e, "Conflict")) throw e;
  }
}
