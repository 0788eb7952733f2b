// Validation of environment variables and their sources.
import type { EnvFromSource, EnvVar } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { invalid, none, together } from "../../problems.ts";
import { fieldsOfVariables, validateFieldRef, validateResourceRef } from "./downward-api.ts";

/** A variable has one source. */
export function validateVariable({ value, valueFrom }: EnvVar, at: string): readonly Problem[] {
  if (!valueFrom) return none;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  const path = `${at}.valueFrom`;
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    (source) => source !== undefined,
  );
  const count = (): readonly Problem[] => {
    if (sources.length === 0)
      return [
        invalid(
          path,
          "",
          "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
        ),
      ];
    if (value) return [invalid(path, "", "may not be specified when `value` is not empty")];
    return sources.length > 1 ? [invalid(path, "", "may not have more than one field specified at a time")] : [];
  };
  return together(
    fieldRef && validateFieldRef(fieldRef, fieldsOfVariables, `${path}.fieldRef`),
    resourceFieldRef && validateResourceRef(resourceFieldRef, false, `${path}.resourceFieldRef`),
    count(),
  );
}

/** Validates sources of several variables. */
export const validateEnvFrom = (from: readonly EnvFromSource[], path: string): readonly Problem[] =>
  from.flatMap(({ configMapRef, secretRef }) =>
    together(
      !configMapRef && !secretRef && invalid(path, "", "must specify one of: `configMapRef` or `secretRef`"),
      configMapRef && secretRef && invalid(path, "", "may not have more than one field specified at a time"),
    ),
  );
