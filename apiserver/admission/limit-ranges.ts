// Kubernetes' admission plugin LimitRanger: pods and claims keep to the limits of their namespace.
import type { LimitRange, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { sameJson } from "../../api/hash.ts";
import { limitRanges } from "../../api/core/limitranges.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { qosClass } from "../../api/core/pod/status.ts";
import type { AdmissionAttributes, AdmissionPlugin } from "../registry/admission.ts";
import { objectOf } from "../registry/codec.ts";
import { brokenByClaim, brokenByPod, withLimits } from "./limits.ts";
import { forbidden } from "../registry/refusals.ts";
import { prefixOf } from "../registry/selection.ts";

const isPods = (r: ResourceDefinition): boolean => r.group === "" && r.plural === "pods";

async function rangesOf(
  { metadata }: ApiObject,
  { present }: Pick<AdmissionAttributes, "present">,
): Promise<readonly LimitRange[]> {
  const { list } = await present();
  return list(prefixOf(limitRanges, metadata.namespace)).map((stored) => objectOf<LimitRange>(stored));
}

const resourcesOf = (r: ResourceDefinition, object: ApiObject): unknown => {
  if (!isPods(r)) return (object as PersistentVolumeClaim).spec.resources;
  const { containers, initContainers = [], resources } = (object as Pod).spec;
  return [resources, ...[...containers, ...initContainers].map((c) => c.resources)];
};
/** What was allowed once is not asked about again. */
const isSettled = (r: ResourceDefinition, object: ApiObject, old: ApiObject | undefined): boolean =>
  old !== undefined &&
  (old.metadata.deletionTimestamp !== undefined || sameJson(resourcesOf(r, object), resourcesOf(r, old)));

const sentence = (wrong: readonly string[]): string => (wrong.length === 1 ? wrong[0]! : `[${wrong.join(", ")}]`);

/** Fills in what containers leave unsaid, and refuses what is beyond the limits. */
export const limitRanger: AdmissionPlugin = {
  name: "LimitRanger",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => isPods(r) || (r.group === "" && r.plural === "persistentvolumeclaims"),
  async mutate(object, attributes) {
    const { r, old, subresource } = attributes;
    const pod = object as Pod;
    // Containers come with the pod and change their amounts by a resize alone. What is wrong with a pod without a spec
    // is for others to say.
    if (!(pod as Partial<Pod>).spec || !isPods(r) || (old && subresource !== "resize")) return object;
    const limited = (await rangesOf(pod, attributes)).reduce(withLimits, pod);
    if (limited === pod) return object;
    if (old) return { ...limited, metadata: pod.metadata } as ApiObject;
    return { ...limited, status: { ...limited.status, qosClass: qosClass(limited.spec) } } as ApiObject;
  },
  async validate(object, attributes) {
    const { r, old, subresource } = attributes;
    if (subresource === "status" || subresource === "binding" || isSettled(r, object, old)) return;
    for (const range of await rangesOf(object, attributes)) {
      const wrong = isPods(r)
        ? brokenByPod(range, (object as Pod).spec)
        : brokenByClaim(range, (object as PersistentVolumeClaim).spec.resources);
      if (wrong.length > 0) throw forbidden(r, object.metadata.name, sentence(wrong));
    }
  },
};
