// Admission of pod groups: priority (KEP-5710), the workload they are made from, and protection while pods use them.
import type { PodGroup, PodGroupSpec, Workload } from "../../api/generated/types.ts";
import { type ApiObject, key } from "../../api/meta.ts";
import { podGroupFinalizer, podGroups } from "../../api/scheduling/podgroups.ts";
import { workloads } from "../../api/scheduling/workloads.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { forbidden } from "../registry/refusals.ts";
import { prioritized, type Worth, worthOf } from "./pods.ts";

const isPodGroups = (r: ResourceDefinition): boolean => r.group === podGroups.group && r.plural === podGroups.plural;

function groupWithPriority(spec: PodGroupSpec, of: Worth): PodGroupSpec | string {
  const priority = worthOf(of);
  return spec.priority === undefined || spec.priority === priority
    ? { ...spec, priority }
    : `priority set in the pod group (${spec.priority}) must match the priority computed (${priority}) based on the priority class set in the spec`;
}
/** The part of Kubernetes' Priority for pod groups. */
export const groupPriority: AdmissionPlugin = {
  name: "Priority",
  operations: ["CREATE"],
  handles: isPodGroups,
  async mutate(object, { r, subresource, present }) {
    const group = object as PodGroup;
    // Validation refuses a group without a spec.
    if (!(group as Partial<PodGroup>).spec || subresource !== undefined) return object;
    return prioritized(r, group, await present(), groupWithPriority);
  },
};

/** Kubernetes' PodGroupProtection. A controller removes the finalizer. */
export const podGroupProtection: AdmissionPlugin = {
  name: "PodGroupProtection",
  operations: ["CREATE"],
  handles: isPodGroups,
  mutate(object) {
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(podGroupFinalizer)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, podGroupFinalizer] } };
  },
};

/** Kubernetes' PodGroupWorkloadExists. */
export const podGroupWorkload: AdmissionPlugin = {
  name: "PodGroupWorkloadExists",
  operations: ["CREATE"],
  handles: isPodGroups,
  async validate(object, { r, present }) {
    const { metadata, spec } = object as ApiObject & PodGroup;
    const reference = spec.podGroupTemplateRef?.workload;
    if (!reference) return;
    const { workloadName, podGroupTemplateName: template } = reference;
    const refuse = (why: string): Error => forbidden(r, metadata.name, `PodGroup rejected: ${why}`);
    const stored = (await present()).get(prefixOf(workloads) + key(metadata.namespace, workloadName));
    if (!stored) throw refuse(`Workload "${workloadName}" not found`);
    const workload = objectOf<Workload>(stored);
    if (workload.metadata.deletionTimestamp !== undefined) throw refuse(`Workload "${workloadName}" is being deleted`);
    if (!workload.spec.podGroupTemplates.some(({ name }) => name === template))
      throw refuse(`PodGroupTemplate "${template}" not found in Workload "${workloadName}"`);
  },
};
