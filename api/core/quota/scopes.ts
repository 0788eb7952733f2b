// Which objects a quota covers. Pure. Source: "Quota scopes" of the documentation.
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "../../generated/types.ts";
import type { ResourceDefinition } from "../../kinds.ts";
import type { ApiObject } from "../../meta.ts";
import { qosClass } from "../pod/status.ts";

type Requirement = ScopedResourceSelectorRequirement;

/** Whether a name, such as that of a priority class, meets the requirement. */
function isNamed({ operator, values = [] }: Requirement, name: string | undefined): boolean {
  if (operator === "Exists") return !!name;
  if (operator === "DoesNotExist") return !name;
  const isListed = name !== undefined && values.includes(name);
  return operator === "In" ? isListed : !isListed;
}

/** Whether the terms of a pod's affinity reach into other namespaces. */
function reachesOtherNamespaces({ spec: { affinity } }: Pod): boolean {
  const terms = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((a): readonly PodAffinityTerm[] => [
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ]);
  return terms.some((term) => (term.namespaces ?? []).length > 0 || term.namespaceSelector !== undefined);
}

function coversPod(requirement: Requirement, pod: Pod): boolean {
  const { spec } = pod;
  const hasDeadline = (spec.activeDeadlineSeconds ?? -1) >= 0;
  switch (requirement.scopeName) {
    case "Terminating":
      return hasDeadline;
    case "NotTerminating":
      return !hasDeadline;
    case "BestEffort":
      return qosClass(spec) === "BestEffort";
    case "NotBestEffort":
      return qosClass(spec) !== "BestEffort";
    case "PriorityClass":
      return isNamed(requirement, spec.priorityClassName);
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(pod);
    default:
      return false;
  }
}

/** The classes of a claim: desired, current, and the one that is being applied. */
const attributesClasses = ({ spec, status }: PersistentVolumeClaim): readonly (string | undefined)[] => [
  spec.volumeAttributesClassName,
  status?.currentVolumeAttributesClassName,
  status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
];
function coversClaim(requirement: Requirement, claim: PersistentVolumeClaim): boolean {
  if (requirement.scopeName !== "VolumeAttributesClass") return false;
  const names = attributesClasses(claim).filter((name) => name !== undefined && name !== "");
  return (names.length > 0 ? names : [undefined]).some((name) => isNamed(requirement, name));
}

/** Whether an object counts in a quota: it does when it is in all of the quota's scopes. */
export function isInScopes({ spec }: ResourceQuota, r: ResourceDefinition, object: ApiObject): boolean {
  const requirements: readonly Requirement[] = [
    ...(spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }) as const),
    ...(spec.scopeSelector?.matchExpressions ?? []),
  ];
  if (requirements.length === 0) return true;
  if (r.group !== "") return false;
  if (r.kind === "Pod") return requirements.every((requirement) => coversPod(requirement, object as Pod));
  return (
    r.kind === "PersistentVolumeClaim" &&
    requirements.every((requirement) => coversClaim(requirement, object as PersistentVolumeClaim))
  );
}
