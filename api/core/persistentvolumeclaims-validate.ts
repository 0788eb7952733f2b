// Validation of claims and claim templates: size, data sources, and the few fields that can change.
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
import { unifiedDiff } from "../unified-diff.ts";
import { classAnnotation } from "./volume-fields.ts";
import type { Rules } from "../validation.ts";

function validateSource({ apiGroup, kind }: TypedLocalObjectReference, path: string): readonly Problem[] {
  return apiGroup || kind === "PersistentVolumeClaim"
    ? none
    : [invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")];
}

function validateSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, path: string): readonly Problem[] {
  const isSame = (["apiGroup", "kind", "name"] as const).every((f) => dataSource?.[f] === dataSourceRef?.[f]);
  const shown = `${path}.dataSource`.replace(/^\./, "spec.");
  return together(
    dataSource && validateSource(dataSource, `${path}.dataSource`),
    dataSourceRef && validateSource(dataSourceRef, `${path}.dataSourceRef`),
    dataSource &&
      dataSourceRef &&
      (dataSourceRef.namespace
        ? invalid(path, shown, "may not be specified when dataSourceRef.namespace is specified")
        : !isSame && invalid(path, shown, "must match dataSourceRef")),
  );
}

function validateSize(text: string | undefined, path: string): readonly Problem[] {
  if (text === undefined) return [required(path)];
  const quantity = parseQuantity(text);
  if (quantity && quantity.nano <= 0n) return [invalid(path, text, "must be greater than zero")];
  return validateAmount("storage", text, path);
}

/** ReadWriteOncePod excludes other access modes. */
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

/** The old spec with the fields that may change taken from the new one. */
function allowed(next: Draft<PersistentVolumeClaim>, old: PersistentVolumeClaim): PersistentVolumeClaimSpec {
  const { spec } = next;
  const annotated = old.metadata.annotations?.[classAnnotation];
  const mayAddClass =
    old.spec.storageClassName === undefined && (annotated === undefined || annotated === spec.storageClassName);
  const bound = next.status?.phase === "Bound";
  const storage = spec.resources?.requests?.["storage"];
  return {
    ...old.spec,
    ...(old.spec.volumeName ? {} : { volumeName: spec.volumeName }),
    ...(mayAddClass ? { storageClassName: spec.storageClassName } : {}),
    ...(bound && storage !== undefined
      ? { resources: { ...old.spec.resources, requests: { ...old.spec.resources?.requests, storage } } }
      : {}),
    ...(bound ? { volumeAttributesClassName: spec.volumeAttributesClassName } : {}),
  };
}

function validateChange(next: Draft<PersistentVolumeClaim>, old: PersistentVolumeClaim): readonly Problem[] {
  const { spec } = next;
  const expected = allowed(next, old);
  const size = sizeOf(spec);
  const isShrunk = size < sizeOf(old.spec) && size <= nanoOf(old.status?.capacity?.["storage"]);
  const { volumeAttributesClassName: attributes } = spec;
  return together(
    !sameJson(spec, expected) &&
      forbidden(
        "spec",
        `spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n${unifiedDiff(expected, spec)}`,
      ),
    isShrunk && forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"),
    unchanged(spec.volumeMode, old.spec.volumeMode, "volumeMode"),
    old.status?.currentVolumeAttributesClassName !== undefined &&
      !attributes &&
      forbidden(
        "spec.volumeAttributesClassName",
        `update to ${attributes === undefined ? "nil" : "empty string"} is forbidden when status.currentVolumeAttributesClassName is not nil`,
      ),
  );
}

/** Validates an update of a claim; the schema and the rules validate the rest. */
export const validateClaim = (claim: Draft<PersistentVolumeClaim>, old?: PersistentVolumeClaim): readonly Problem[] =>
  old ? validateChange(claim, old) : [];

const resizeStatuses = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizePending",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
].toSorted();

/** Validates the resize status of a claim by resource. */
export const validateClaimStatus = ({ status }: PersistentVolumeClaim): readonly Problem[] =>
  Object.entries(status?.allocatedResourceStatuses ?? {})
    .filter(([, text]) => !resizeStatuses.includes(text))
    .map(([name]) => unsupported("status.allocatedResourceStatuses", name, resizeStatuses));
