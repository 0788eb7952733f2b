// How long a pod stays on a node that went silent, when it does not say so itself. The cluster decides: what suits a
// data centre is an eternity on one machine.
import type { Pod, Toleration } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";

const silences: readonly string[] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** An empty key tolerates every taint, an empty effect all of them. */
const speaksOf =
  (key: string) =>
  (t: Toleration): boolean =>
    (!t.key || t.key === key) && (!t.effect || t.effect === "NoExecute");

/** The tolerations of a pod, completed by those for silent nodes that it does not speak of. Pure. */
export function patient(held: readonly Toleration[], tolerationSeconds: number): readonly Toleration[] {
  const missing = silences.filter((key) => !held.some(speaksOf(key)));
  const added = missing.map((key): Toleration => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds }));
  return [...held, ...added];
}

/** Kubernetes' DefaultTolerationSeconds, with the seconds of this cluster. */
export const defaultTolerations = (tolerationSeconds: number): AdmissionPlugin => ({
  name: "DefaultTolerationSeconds",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  // Also on update: who replaces a pod by its manifest leaves them out again, and means no change.
  mutate(object) {
    const { spec } = object as Partial<Pod>;
    // What is wrong with a pod without a spec is for others to say.
    if (!spec) return object;
    const held = spec.tolerations ?? [];
    const tolerations = patient(held, tolerationSeconds);
    return tolerations.length === held.length ? object : ({ ...object, spec: { ...spec, tolerations } } as ApiObject);
  },
});
