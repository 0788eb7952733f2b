// The ports of a node that a pod uses: one pod at a time has each, unless they listen on different addresses.
import type { Pod } from "../../generated/types.ts";

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const none: readonly HostPort[] = [];
/** Init containers that restart always (sidecars) keep their ports; the others have ended when the pod runs. */
export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const lasting = [...spec.containers, ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === "Always")];
  const ports = lasting.flatMap((c) => (c.ports ?? []).filter((p) => p.hostPort));
  return ports.length === 0
    ? none
    : ports.map((p) => ({ ip: p.hostIP || "0.0.0.0", protocol: p.protocol ?? "TCP", port: p.hostPort! }));
}

const everywhere = "0.0.0.0";
const conflicts = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === everywhere || b.ip === everywhere);
/** Whether any of the requested ports is in use. */
export const overlap = (requested: readonly HostPort[], used: readonly HostPort[]): boolean =>
  used.some((b) => requested.some((a) => conflicts(a, b)));
