// What the class of its runtime adds to a pod: the room the runtime itself takes, and the nodes that have it (KEP-688).
import type { Pod, PodSpec, RuntimeClass, Toleration } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { pods } from "../../api/core/pods.ts";
import { runtimeClasses } from "../../api/node/runtimeclasses.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../registry/admission.ts";
import { objectOf } from "../registry/codec.ts";
import { forbidden } from "../registry/refusals.ts";
import { prefixOf } from "../registry/selection.ts";

const isNoLonger = (a: number | undefined, b: number | undefined): boolean =>
  b === undefined || (a !== undefined && a <= b);

/** Whether who has `more` tolerates everything that who has `less` does. */
function covers(more: Toleration, less: Toleration): boolean {
  if (sameJson(more, less)) return true;
  const everyKey = !more.key && more.operator === "Exists";
  if (more.key !== less.key && !everyKey) return false;
  if (more.effect && more.effect !== less.effect) return false;
  if (more.effect === "NoExecute" && !isNoLonger(less.tolerationSeconds, more.tolerationSeconds)) return false;
  if (more.operator === "Exists") return true;
  return less.operator === "Equal" && (less.value ?? "") === (more.value ?? "");
}

/** The tolerations of both, without those that others cover. Of equal ones the first is kept. Pure. */
export function mergedTolerations(own: readonly Toleration[], added: readonly Toleration[]): readonly Toleration[] {
  const all = [...own, ...added];
  const merged: Toleration[] = [];
  for (const [i, t] of all.entries()) {
    const later = all.slice(i + 1).filter((other) => !sameJson(other, t));
    if (![...merged, ...later].some((other) => covers(other, t))) merged.push(t);
  }
  return merged;
}

/** Why the pod cannot go where its runtime is to be had, if it cannot. */
function conflictOf(own: PodSpec["nodeSelector"] = {}, wanted: PodSpec["nodeSelector"] = {}): string | undefined {
  const key = Object.keys(wanted).find((k) => own[k] !== undefined && own[k] !== wanted[k]);
  return (
    key &&
    `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${wanted[key]}; pod.spec.nodeSelector[${key}] = ${own[key]}`
  );
}

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const unfounded = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

/** The spec as a runtime of this class needs it, or why it cannot be had. Pure. */
export function withRuntime(spec: PodSpec, { overhead, scheduling }: RuntimeClass): PodSpec | string {
  const podFixed = overhead?.podFixed;
  if (overhead && spec.overhead && !sameJson(spec.overhead, podFixed ?? {})) return mismatch;
  const conflict = conflictOf(spec.nodeSelector, scheduling?.nodeSelector);
  if (conflict !== undefined) return conflict;
  const { nodeSelector, tolerations } = scheduling ?? {};
  return {
    ...spec,
    ...(podFixed && { overhead: podFixed }),
    ...(nodeSelector && { nodeSelector: { ...spec.nodeSelector, ...nodeSelector } }),
    ...(tolerations && { tolerations: mergedTolerations(spec.tolerations ?? [], tolerations) }),
  };
}

async function classOf(pod: ApiObject, name: string, present: AdmissionAttributes["present"]): Promise<RuntimeClass> {
  const stored = (await present()).get(prefixOf(runtimeClasses) + name);
  if (!stored) throw forbidden(pods, pod.metadata.name, `pod rejected: RuntimeClass "${name}" not found`);
  return objectOf<RuntimeClass>(stored);
}

/** Kubernetes' admission plugin RuntimeClass. */
export const runtimeClass: AdmissionPlugin = {
  name: "RuntimeClass",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async mutate(object, { r, present }) {
    const { spec } = object as Partial<Pod>;
    if (spec?.runtimeClassName === undefined) return object;
    const completed = withRuntime(spec, await classOf(object, spec.runtimeClassName, present));
    if (typeof completed === "string") throw forbidden(r, object.metadata.name, completed);
    return { ...object, spec: completed } as ApiObject;
  },
  // What a pod takes beside its containers is for its class alone to say.
  async validate(object, { r, present }) {
    const { overhead, runtimeClassName: name } = (object as Pod).spec;
    if (overhead === undefined) return;
    const founded = name !== undefined && (await classOf(object, name, present)).overhead !== undefined;
    if (!founded) throw forbidden(r, object.metadata.name, unfounded);
  },
};
