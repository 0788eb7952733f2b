// Fields of pod groups and workloads that belong to features this server does not have: they are dropped, as by a
// Kubernetes whose feature gates DRAWorkloadResourceClaims and TopologyAwareWorkloadScheduling are off.
import type { PodGroupTemplate, Workload } from "../../../api/generated/types.ts";
import type { ApiObject, Draft } from "../../../api/meta.ts";
import { defaultStrategy } from "../prepare.ts";
import type { Strategy } from "./strategy.ts";

type Gated = Pick<PodGroupTemplate, "resourceClaims" | "schedulingConstraints">;

function withoutGated<T extends Gated>(spec: T): T {
  const { resourceClaims, schedulingConstraints, ...rest } = spec;
  return rest as T;
}
type Spec = Gated & Partial<Workload["spec"]>;
/** Validation refuses an object without a spec. */
function dropped<T extends Draft<ApiObject>>(object: T): T {
  const { spec } = object as { readonly spec?: Spec };
  if (!spec) return object;
  const { podGroupTemplates: templates } = spec;
  const own = templates && { podGroupTemplates: templates.map(withoutGated) };
  return { ...object, spec: { ...withoutGated(spec), ...own } };
}

export const podGroupStrategy: Partial<Strategy> = {
  prepareForCreate: (draft, by) => dropped(defaultStrategy.prepareForCreate(draft, by)),
  prepareForUpdate: (next, old, by) => dropped(defaultStrategy.prepareForUpdate(next, old, by)),
};
