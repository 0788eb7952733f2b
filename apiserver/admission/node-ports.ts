// Node ports that are taken: one key for each, committed together with the service that has it, so that no port is
// allocated twice, by however many servers.
import type { Service } from "../../api/generated/types.ts";
import { type ApiObject, revision } from "../../api/meta.ts";
import type { Replacement } from "../registry/admission.ts";
import type { Present, Write } from "../storage/storage.ts";

const keyOf = (port: number): string => `/orrery.dev/nodeports/${port}`;

/** All node ports of a service; one that serves two protocols occurs twice. */
export const nodePortsOf = ({ spec }: Service): readonly number[] =>
  [...(spec.ports ?? []).map((p) => p.nodePort ?? 0), spec.healthCheckNodePort ?? 0].filter((port) => port > 0);

/** Takes the new ports of a service, and frees its former ones. */
export function portWrites({ before, after }: Replacement, present: Present): readonly Write[] {
  const portsOf = (service: ApiObject | undefined): ReadonlySet<number> =>
    new Set(service ? nodePortsOf(service as ApiObject as Service) : []);
  const [then, now] = [portsOf(before), portsOf(after)];
  const taken = [...now].filter((port) => !then.has(port));
  const freed = [...then].filter((port) => !now.has(port));
  return [
    ...taken.map((port) => ({ key: keyOf(port), expect: revision(0), value: new Uint8Array() })),
    ...freed.flatMap((port) => {
      const stored = present.get(keyOf(port));
      return stored ? [{ key: stored.key, expect: stored.modified, value: null }] : [];
    }),
  ];
}
