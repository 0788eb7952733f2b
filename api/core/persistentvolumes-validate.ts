// Validation of persistent volumes: capacity, source, node affinity; the source is immutable.
import type { PersistentVolume, PersistentVolumeSpec, SecretReference } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, required, together, unchanged, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import { unifiedDiff } from "../unified-diff.ts";
import { validateAccessModes } from "./persistentvolumeclaims-validate.ts";
import { type Source, storageSources, validateStorageSource } from "./pod/volume-sources.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";

/** The sources that are set; a valid volume has one. */
const sourcesOf = (spec: PersistentVolumeSpec): readonly (keyof PersistentVolumeSpec)[] =>
  (storageSources as readonly (keyof PersistentVolumeSpec)[]).filter((kind) => spec[kind] !== undefined);

const secretsOfCsi = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
];

/** A volume is cluster-scoped, so that its secret references name their namespace. */
function validateSecret({ name, namespace }: SecretReference, path: string): readonly Problem[] {
  return together(
    name ? validateSubdomainName(name, `${path}.name`) : required(`${path}.name`),
    namespace ? validateLabelName(namespace, `${path}.namespace`) : required(`${path}.namespace`),
  );
}

function validatePersistentSource(kind: string, source: Source, path: string): readonly Problem[] {
  const secrets = kind === "csi" ? secretsOfCsi : kind === "cinder" || kind === "storageos" ? ["secretRef"] : [];
  return together(
    validateStorageSource(kind, source, path),
    kind === "csi" && !source["volumeHandle"] && required(`${path}.volumeHandle`),
    secrets.flatMap((field) =>
      source[field] === undefined ? [] : validateSecret(source[field] as SecretReference, `${path}.${field}`),
    ),
  );
}

function validateCapacity(capacity: Readonly<Record<string, string>>, path: string): readonly Problem[] {
  const names = Object.keys(capacity);
  return together(
    names.length <= 0 && required(path),
    !(names.length === 1 && names[0] === "storage") && unsupported(path, capacity, ["storage"]),
    Object.entries(capacity).flatMap(([name, text]) => {
      const quantity = parseQuantity(text);
      return together(
        validateAmount(name, text, `${path}[${name}]`),
        quantity && quantity.nano <= 0n && invalid(`${path}[${name}]`, text, "must be greater than zero"),
      );
    }),
  );
}

function validateSources(spec: PersistentVolumeSpec, path: string): readonly Problem[] {
  const [first, ...more] = sourcesOf(spec);
  if (first === undefined) return [required(path, "must specify a volume type")];
  const recycled = spec.hostPath?.path === "/" && spec.persistentVolumeReclaimPolicy === "Recycle";
  return together(
    validatePersistentSource(first, spec[first] as Source, `${path}.${first}`),
    more.map((kind) => forbidden(`${path}.${kind}`, "may not specify more than 1 volume type")),
    first === "local" && !spec.nodeAffinity && required(`${path}.nodeAffinity`, "Local volume requires node affinity"),
    recycled && forbidden(`${path}.persistentVolumeReclaimPolicy`, "may not be 'recycle' for a hostPath mount of '/'"),
  );
}

function validateSpec(spec: PersistentVolumeSpec, path: string): readonly Problem[] {
  const { capacity = {}, volumeAttributesClassName } = spec;
  return together(
    validateAccessModes(spec.accessModes, path),
    validateCapacity(capacity, `${path}.capacity`),
    spec.nodeAffinity &&
      !spec.nodeAffinity.required &&
      required(`${path}.nodeAffinity.required`, "must specify required node constraints"),
    validateSources(spec, path),
    volumeAttributesClassName === "" && required(`${path}.volumeAttributesClassName`, "an empty string is disallowed"),
    volumeAttributesClassName !== undefined &&
      !spec.csi &&
      required(`${path}.csi`, "has to be specified when using volumeAttributesClassName"),
  );
}

function validateChange(next: PersistentVolumeSpec, old: PersistentVolumeSpec): readonly Problem[] {
  const pick = (spec: PersistentVolumeSpec): object =>
    Object.fromEntries(sourcesOf(spec).map((kind) => [kind, spec[kind]]));
  const { controllerExpandSecretRef: secret, ...csi } = next.csi ?? { driver: "", volumeHandle: "" };
  // The expansion secret can be added once.
  const addsSecret = secret && next.csi && old.csi && !old.csi.controllerExpandSecretRef;
  const [now, then] = [{ ...pick(next), ...(addsSecret && { csi }) }, pick(old)];
  return together(
    !sameJson(now, then) &&
      forbidden(
        "spec.persistentvolumesource",
        `spec.persistentvolumesource is immutable after creation\n${unifiedDiff(then, now)}`,
      ),
    unchanged(next.volumeMode, old.volumeMode, "volumeMode"),
    old.nodeAffinity &&
      !sameJson(next.nodeAffinity, old.nodeAffinity) &&
      invalid("nodeAffinity", next.nodeAffinity, "field is immutable, except for updating from beta label to GA"),
    old.volumeAttributesClassName !== undefined &&
      next.volumeAttributesClassName === undefined &&
      forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden"),
  );
}

/** Validates a volume; with `old`, also what changed. */
export const validateVolume = ({ spec }: Draft<PersistentVolume>, old?: PersistentVolume): readonly Problem[] =>
  together(validateSpec(spec, "spec"), old && validateChange(spec, old.spec));
