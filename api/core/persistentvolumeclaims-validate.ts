// What can be wrong with a claim, and what may still change in one: it may grow.
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { sameJson } from "../hash.ts";
import type { Draft } from "../meta.ts";
import { forbidden, together, unchanged, unsupported } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import { differences } from "../differences.ts";
import { classAnnotation } from "./storage-words.ts";

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
