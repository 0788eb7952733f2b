// Composes audit: a policy, and the log that its events go to.
import type { World } from "../../machinery/world.ts";
import { type Auditor, auditing } from "./audit.ts";
import { type AuditLogOptions, auditLog } from "./log-file.ts";
import type { AuditPolicy } from "./policy.ts";

/** Which events are recorded, and where. */
export interface AuditOptions {
  readonly policy: AuditPolicy;
  readonly log: AuditLogOptions;
}

/** The auditor of a server, and what waits until all events are written. Without options nothing is audited. */
export function recording(
  options: AuditOptions | undefined,
  world: World,
): { readonly auditor?: Auditor; readonly close: () => Promise<void> } {
  if (!options) return { close: async () => {} };
  const log = auditLog(options.log, world);
  const { auditor, end } = auditing(options.policy, world.clock, log.write);
  return {
    auditor,
    async close() {
      end();
      await log.close();
    },
  };
}
