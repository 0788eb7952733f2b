// The rules of what a claim asks for, in a claim or in a template of claims.
import type { PersistentVolumeClaimSpec, TypedLocalObjectReference } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { forbidden, invalid, none, required, together } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
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
