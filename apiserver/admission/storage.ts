// Admission of claims and volumes: default storage class, finalizers of what is in use, and expansion.
import type {
  PersistentVolumeClaim as Claim,
  PersistentVolumeClaimSpec,
  StorageClass,
} from "../../api/generated/types.ts";
import { storageClasses } from "../../api/storage/storageclasses.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import { parseQuantity } from "../../api/quantity.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { forbidden } from "../registry/refusals.ts";
import type { AdmissionPlugin } from "../registry/admission.ts";
import { markedClass, newest } from "./classes.ts";

const isClaims = (r: ResourceDefinition): boolean => r.group === "" && r.plural === "persistentvolumeclaims";

const usualMarks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const usualClass = markedClass(storageClasses, {
  isMarked: ({ metadata: { annotations = {} } }) => usualMarks.some((mark) => annotations[mark] === "true"),
  precedes: newest,
});
const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Kubernetes' DefaultStorageClass. An empty name is a name: such a claim wants no class. */
export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  operations: ["CREATE"],
  handles: isClaims,
  async mutate(object, { present }) {
    const claim = object as Claim;
    // What is wrong with a claim without a spec is for others to say.
    if (!claim.spec || claim.spec.storageClassName !== undefined) return object;
    if (claim.metadata.annotations?.[classAnnotation] !== undefined) return object;
    const usual = usualClass(await present());
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

/** Kubernetes' PersistentVolumeClaimResize: a claim grows where its class lets it. One that is not bound never does. */
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
