// How much a pod matters: the number its class stands for, and whether others make room for it (KEP-268, KEP-902).
import type { Pod, PodSpec, PriorityClass } from "../../api/generated/types.ts";
import { priorityClasses, systemPriorities } from "../../api/scheduling/priorityclasses.ts";
import { pods } from "../../api/core/pods.ts";
import type { ApiObject } from "../../api/meta.ts";
import { objectOf } from "../registry/codec.ts";
import { forbidden } from "../registry/refusals.ts";
import { prefixOf } from "../registry/selection.ts";
import type { Present } from "../storage/storage.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { markedClass } from "./classes.ts";

type Worth = Pick<PriorityClass, "value" | "preemptionPolicy">;
const worthOf = ({ value = 0 }: Worth): number => value;

/** Two that are marked were made at the same moment: the lower one does less harm. */
const usualClass = markedClass(priorityClasses, {
  isMarked: (c) => c.globalDefault === true,
  precedes: (a, b) => worthOf(a) < worthOf(b),
});
/** Where there is no class for all. */
const unclassed: Worth = { value: 0, preemptionPolicy: "PreemptLowerPriority" };

const refusal = (what: string, given: string | number, computed: string | number): string =>
  `the ${what} (${given}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;

/** The spec of a pod of this class, or why it contradicts its class. Pure. */
export function withPriority(spec: PodSpec, of: Worth): PodSpec | string {
  const { preemptionPolicy = spec.preemptionPolicy } = of;
  const priority = worthOf(of);
  if (spec.priority !== undefined && spec.priority !== priority)
    return refusal("integer value of priority", spec.priority, priority);
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    return refusal("string value of PreemptionPolicy", spec.preemptionPolicy, preemptionPolicy ?? "");
  return { ...spec, priority, ...(preemptionPolicy && { preemptionPolicy }) };
}

function classOf(pod: Pod, { get }: Present): PriorityClass {
  const { priorityClassName: name } = pod.spec;
  const stored = get(prefixOf(priorityClasses) + name);
  if (!stored) throw forbidden(pods, pod.metadata.name, `no PriorityClass with name ${name} was found`);
  return objectOf<PriorityClass>(stored);
}

function prioritized(pod: Pod, present: Present): Pod {
  const named = pod.spec.priorityClassName ? classOf(pod, present) : undefined;
  const usual = named ? undefined : usualClass(present);
  const spec = withPriority(pod.spec, named ?? usual ?? unclassed);
  if (typeof spec === "string") throw forbidden(pods, pod.metadata.name, spec);
  return { ...pod, spec: usual ? { ...spec, priorityClassName: usual.metadata.name } : spec };
}

/** Who replaces a pod by its manifest leaves out what was found out for it, and means no change. */
function keptFrom(old: Pod, pod: Pod): Pod {
  const { priority, preemptionPolicy } = old.spec;
  const missing = {
    ...(pod.spec.priority === undefined && priority !== undefined && { priority }),
    ...(pod.spec.preemptionPolicy === undefined && preemptionPolicy !== undefined && { preemptionPolicy }),
  };
  return Object.keys(missing).length === 0 ? pod : { ...pod, spec: { ...pod.spec, ...missing } };
}

/** Kubernetes' admission plugin Priority, as far as it is about pods. */
export const priority: AdmissionPlugin = {
  name: "Priority",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async mutate(object, { old, subresource, present }) {
    const pod = object as Pod;
    // What is wrong with a pod without a spec is for others to say.
    if (!(pod as Partial<Pod>).spec || subresource !== undefined) return object;
    return (old ? keptFrom(old as Pod, pod) : prioritized(pod, await present())) as ApiObject;
  },
};

/** As far as it is about classes: there is one at most for pods that name none, and the cluster's own stay. */
export const onePriorityForAll: AdmissionPlugin = {
  name: "Priority",
  operations: ["CREATE", "UPDATE", "DELETE"],
  handles: (r) => r.group === priorityClasses.group && r.plural === priorityClasses.plural,
  async validate(object, { r, name, operation, present }) {
    if (operation === "DELETE") {
      if (systemPriorities[name] === undefined) return;
      throw forbidden(r, name, "this is a system priority class and cannot be deleted");
    }
    if ((object as PriorityClass).globalDefault !== true) return;
    const other = usualClass(await present())?.metadata.name;
    if (other !== undefined && other !== name)
      throw forbidden(r, name, `PriorityClass ${other} is already marked as default. Only one default can exist`);
  },
};
