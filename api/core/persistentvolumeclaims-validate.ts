// What can be wrong with a claim, and what may still change in one: it may grow.
import type {
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  TypedLocalObjectReference,
} from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { Draft } from "../meta.ts";
import { forbidden, invalid, none, required, together, unchanged, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import { differences } from "../unified-diff.ts";
import { classAnnotation } from "./volume-fields.ts";
import type { Rules } from "../validation.ts";

function validateSource({ apiGroup, kind }: TypedLocalObjectReference, path: string): readonly Problem[] {
  return apiGroup || kind === "PersistentVolumeClaim"
    ? none
    : [invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")];
}

function validateSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, path: string): readonly Problem[] {
  const each = [
    ...(dataSource ? validateSource(dataSource, `${path}.dataSource`) : none),
    ...(dataSourceRef ? validateSource(dataSourceRef, `${path}.dataSourceRef`) : none),
  ];
  if (!dataSource || !dataSourceRef) return each;
  const shown = `${path}.dataSource`.replace(/^\./, "spec.");
  if (dataSourceRef.namespace)
    return together(each, invalid(path, shown, "may not be specified when dataSourceRef.namespace is specified"));
  const same = (["apiGroup", "kind", "name"] as const).every((field) => dataSource[field] === dataSourceRef[field]);
  return same ? each : together(each, invalid(path, shown, "must match dataSourceRef"));
}

function validateSize(text: string | undefined, path: string): readonly Problem[] {
  if (text === undefined) return [required(path)];
  const quantity = parseQuantity(text);
  if (quantity && quantity.nano <= 0n) return [invalid(path, text, "must be greater than zero")];
  return validateAmount("storage", text, path);
}

/** A volume that one pod may have is not shared in another way. */
export const validateAccessModes = (modes: readonly string[] | undefined, path: string): readonly Problem[] =>
  modes?.includes("ReadWriteOncePod") && modes.some((mode) => mode !== "ReadWriteOncePod")
    ? [forbidden(`${path}.accessModes`, "may not use ReadWriteOncePod with other access modes")]
    : none;

const validateClaimSpec = (spec: PersistentVolumeClaimSpec, path: string): readonly Problem[] =>
  together(
    validateAccessModes(spec.accessModes, path),
    validateSize(spec.resources?.requests?.["storage"], `${path}.resources[storage]`),
    validateSources(spec, path),
  );

export const claimRules: Rules = { PersistentVolumeClaimSpec: validateClaimSpec };

const nanoOf = (text: string | undefined): bigint => parseQuantity(text ?? "")?.nano ?? 0n;
const sizeOf = (spec: PersistentVolumeClaimSpec): bigint => nanoOf(spec.resources?.requests?.["storage"]);

/** The old spec, with what may be said anew as the new one says it. */
function allowed(next: Draft<PersistentVolumeClaim>, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const { spec } = next;
  const named = old.metadata.annotations?.[classAnnotation];
  const classMayBeTold =
    old.spec.storageClassName === undefined && (named === undefined || named === spec.storageClassName);
  const bound = next.status?.phase === "Bound";
  const storage = spec.resources?.requests?.["storage"];
  return {
    ...old.spec,
    ...(old.spec.volumeName ? {} : { volumeName: spec.volumeName }),
    ...(classMayBeTold ? { storageClassName: spec.storageClassName } : {}),
    ...(bound && storage !== undefined
      ? { resources: { ...old.spec.resources, requests: { ...old.spec.resources?.requests, storage } } }
      : {}),
    ...(bound ? { volumeAttributesClassName: spec.volumeAttributesClassName } : {}),
  };
}

function validateChange(next: Draft<PersistentVolumeClaim>, old: PersistentVolumeClaim): readonly Problem[] {
  const may = allowed(next, old);
  const smaller =
    sizeOf(next.spec) < sizeOf(old.spec) && sizeOf(next.spec) <= nanoOf(old.status?.capacity?.["storage"]);
  const vac = next.spec.volumeAttributesClassName;
  return together(
    !sameJson(next.spec, may) &&
      forbidden(
        "spec",
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${differences(may, next.spec)}`,
      ),
    smaller && forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"),
    unchanged(next.spec.volumeMode, old.spec.volumeMode, "volumeMode"),
    old.status?.currentVolumeAttributesClassName !== undefined &&
      !vac &&
      forbidden(
        "spec.volumeAttributesClassName",
        `update to ${vac === undefined ? "nil" : "empty string"} is forbidden when status.currentVolumeAttributesClassName is not nil`,
      ),
  );
}

/** What is wrong with a change of a claim. */
export const validateClaim = (claim: Draft<PersistentVolumeClaim>, old?: PersistentVolumeClaim): readonly Problem[] =>
  old ? validateChange(claim, old) : [];

const resizing = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizePending",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
].toSorted();

/** What is wrong with what a claim is said to have got. */
export const validateClaimStatus = ({ status }: PersistentVolumeClaim): readonly Problem[] =>
  together(
    Object.entries(status?.capacity ?? {}).flatMap(([name, text]) =>
      validateAmount(name, text, `status.capacity[${name}]`),
    ),
    Object.entries(status?.allocatedResourceStatuses ?? {}).flatMap(([name, word]) =>
      resizing.includes(word) ? [] : [unsupported("status.allocatedResourceStatuses", name, resizing)],
    ),
    Object.entries(status?.allocatedResources ?? {}).flatMap(([name, text]) =>
      validateAmount(name, text, `status.allocatedResources[${name}]`),
    ),
  );
