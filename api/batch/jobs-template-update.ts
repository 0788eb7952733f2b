// Validation of updates of a job's pod template: it is immutable unless the job is suspended and has no active pods,
// and then only placement and resources may change. Source: KEP-2926.
import type { Container, Job, PodTemplateSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { unchanged } from "../problems.ts";

/** The old template with the labels, annotations and scheduling directives of the new one. */
function withPlacementOf(next: PodTemplateSpec, old: PodTemplateSpec): PodTemplateSpec {
  const { nodeSelector, tolerations, schedulingGates, affinity } = next.spec ?? { containers: [] };
  const { nodeAffinity: _, ...others } = old.spec?.affinity ?? {};
  const nodeAffinity = affinity?.nodeAffinity;
  const kept = { ...others, ...(nodeAffinity && { nodeAffinity }) };
  const { labels, annotations } = next.metadata ?? {};
  return {
    ...old,
    metadata: { ...old.metadata, labels, annotations },
    ...(old.spec && {
      spec: {
        ...old.spec,
        nodeSelector,
        tolerations,
        schedulingGates,
        affinity: Object.keys(kept).length > 0 || affinity ? kept : undefined,
      },
    }),
  };
}

type Containers = readonly Container[] | undefined;

/** The old containers with the resources of the new ones. */
const withResourcesOf = (next: Containers, old: Containers): Containers =>
  next?.length === old?.length
    ? old?.map((c, i) => (c.name === next?.[i]?.name ? { ...c, resources: next[i].resources } : c))
    : old;

/** Validates an update of a job's template. */
export function validateTemplateChange(job: Draft<Job>, old: Job): readonly Problem[] {
  const { template } = job.spec;
  const isMutable = old.spec.suspend === true && (old.status?.active ?? 0) === 0;
  if (!isMutable) return unchanged(template, old.spec.template, "spec.template");
  const allowed = withPlacementOf(template, old.spec.template);
  const spec = allowed.spec && {
    ...allowed.spec,
    containers: withResourcesOf(template.spec?.containers, allowed.spec.containers) ?? [],
    initContainers: withResourcesOf(template.spec?.initContainers, allowed.spec.initContainers),
  };
  return unchanged(template.spec, spec, "spec.template.spec");
}
