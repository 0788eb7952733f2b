// What can be wrong with what a claim asks for, in a claim or in a template of claims.
import type { PersistentVolumeClaimSpec, TypedObjectReference } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { validateLabelName, validateSubdomainName } from "../names.ts";
import { invalid, required } from "../problems.ts";
import { parseQuantity } from "../quantity.ts";
import { validateAmount } from "../resource-names.ts";
import { validateLabelSelector } from "../selector-validate.ts";
import { validateAccessModes, validateClassAndMode } from "./storage-validate.ts";

function validateSource(source: TypedObjectReference | undefined, path: string): readonly Problem[] {
  if (!source) return [];
  const { apiGroup, kind, name, namespace } = source;
  return [
    ...(name ? [] : [required(`${path}.name`)]),
    ...(kind ? [] : [required(`${path}.kind`)]),
    ...(apiGroup || kind === "PersistentVolumeClaim"
      ? []
      : [invalid(path, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]),
    ...validateSubdomainName(apiGroup, `${path}.apiGroup`),
    ...validateLabelName(namespace, `${path}.namespace`),
  ];
}

function validateSources({ dataSource, dataSourceRef }: PersistentVolumeClaimSpec, path: string): readonly Problem[] {
  const each = [
    ...validateSource(dataSource, `${path}.dataSource`),
    ...validateSource(dataSourceRef, `${path}.dataSourceRef`),
  ];
  if (!dataSource || !dataSourceRef) return each;
  if (dataSourceRef.namespace)
    return [
      ...each,
      invalid(path, `${path}.dataSource`, "may not be specified when dataSourceRef.namespace is specified"),
    ];
  const same = (["apiGroup", "kind", "name"] as const).every((field) => dataSource[field] === dataSourceRef[field]);
  return same ? each : [...each, invalid(path, `${path}.dataSource`, "must match dataSourceRef")];
}

function validateSize(text: string | undefined, path: string): readonly Problem[] {
  if (text === undefined) return [required(path)];
  const quantity = parseQuantity(text);
  if (quantity && quantity.nano <= 0n) return [invalid(path, text, "must be greater than zero")];
  return validateAmount("storage", text, path);
}

/** What is wrong with a claim or a template of claims. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): readonly Problem[] {
  const { accessModes = [], selector, resources, volumeAttributesClassName } = spec;
  return [
    ...(accessModes.length > 0 ? [] : [required(`${path}.accessModes`, "at least 1 access mode is required")]),
    ...(selector ? validateLabelSelector(selector, `${path}.selector`) : []),
    ...validateAccessModes(accessModes, path),
    ...validateSize(resources?.requests?.["storage"], `${path}.resources[storage]`),
    ...validateClassAndMode(spec, path),
    ...validateSources(spec, path),
    ...validateSubdomainName(volumeAttributesClassName, `${path}.volumeAttributesClassName`),
  ];
}
