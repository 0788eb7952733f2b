// Default classes: of the classes of a kind, the one that objects without a class get. And admission of claims and
// volumes: finalizers of what is in use, and expansion.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import type {
  Ingress,
  PersistentVolumeClaim as Claim,
  PersistentVolumeClaimSpec,
  StorageClass,
} from "../../api/generated/types.ts";
import { ingressClasses } from "../../api/networking/ingresses.ts";
import { type AdmissionPlugin, markedClass } from "../registry/admission.ts";
import { storageClasses } from "../../api/storage/storageclasses.ts";
import { parseQuantity } from "../../api/quantity.ts";
import { forbidden } from "../registry/refusals.ts";

/** The newest; of two of the same second the one whose name comes first. */
export const newest = (a: ApiObject, b: ApiObject): boolean => {
  const [made, than] = [a.metadata.creationTimestamp ?? "", b.metadata.creationTimestamp ?? ""];
  return made === than ? a.metadata.name < b.metadata.name : made > than;
};

const usualClass = markedClass(ingressClasses, {
  isMarked: ({ metadata }) => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true",
  precedes: newest,
});

/** The annotation that named the class before `spec.storageClassName`. */
export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  operations: ["CREATE"],
  handles: (r) => r.group === "networking.k8s.io" && r.plural === "ingresses",
  async mutate(object, { present }) {
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined) return object;
    if (ingress.metadata.annotations?.["kubernetes.io/ingress.class"] !== undefined) return object;
    const usual = usualClass(await present());
    if (!usual) return object;
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: usual.metadata.name } } as ApiObject;
  },
};

const isClaims = (r: ResourceDefinition): boolean => r.group === "" && r.plural === "persistentvolumeclaims";

const usualMarks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const defaultClassOf = markedClass(storageClasses, {
  isMarked: ({ metadata: { annotations = {} } }) => usualMarks.some((mark) => annotations[mark] === "true"),
  precedes: newest,
});
const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Kubernetes' DefaultStorageClass. A claim with an empty class name has no class. */
export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  operations: ["CREATE"],
  handles: isClaims,
  async mutate(object, { present }) {
    const claim = object as Claim;
    // Validation refuses a claim without a spec.
    if (!claim.spec || claim.spec.storageClassName !== undefined) return object;
    if (claim.metadata.annotations?.[classAnnotation] !== undefined) return object;
    const usual = defaultClassOf(await present());
    if (!usual) return object;
    return { ...claim, spec: { ...claim.spec, storageClassName: usual.metadata.name } } as ApiObject;
  },
};

/** The finalizer of each kind that may be in use; a controller removes it. */
const keepers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};

/** Kubernetes' StorageObjectInUseProtection. */
export const storageInUse: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && keepers[r.plural] !== undefined,
  mutate(object, { r }) {
    const keeper = keepers[r.plural]!;
    const { finalizers = [] } = object.metadata;
    if (finalizers.includes(keeper)) return object;
    return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, keeper] } };
  },
};

const sizeOf = (spec: PersistentVolumeClaimSpec | undefined): bigint =>
  parseQuantity(spec?.resources?.requests?.["storage"] ?? "")?.nano ?? 0n;
const classNameOf = ({ metadata, spec }: Claim): string =>
  metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? "";

/** Kubernetes' PersistentVolumeClaimResize: a bound claim grows where its class allows expansion. */
export const claimGrowth: AdmissionPlugin = {
  name: "PersistentVolumeClaimResize",
  operations: ["UPDATE"],
  handles: isClaims,
  async validate(object, { r, old, subresource, present }) {
    const [claim, before] = [object as Claim, old as Claim];
    if (subresource !== undefined || sizeOf(claim.spec) <= sizeOf(before.spec)) return;
    const className = classNameOf(claim);
    const stored =
      className === "" || className !== classNameOf(before)
        ? undefined
        : (await present()).get(prefixOf(storageClasses) + className);
    if (stored && objectOf<StorageClass>(stored).allowVolumeExpansion === true) return;
    throw forbidden(
      r,
      claim.metadata.name,
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    );
  },
};
