// Validation of label selectors in objects.
import type { LabelSelector, LabelSelectorRequirement } from "./generated/types.ts";
import type { Problem } from "./errors.ts";
import { validateLabels, validateLabelValue, validateQualifiedName } from "./names.ts";
import { each, forbidden, invalid, required, together } from "./problems.ts";

/** Validates an operator and its number of values. */
export function validateOperator(
  { operator, values = [] }: Pick<LabelSelectorRequirement, "operator" | "values">,
  path: string,
): readonly Problem[] {
  switch (operator) {
    case "In":
    case "NotIn":
      return values.length > 0
        ? []
        : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist":
      return values.length === 0
        ? []
        : [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
    default:
      return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
  }
}

/** Validates a selector; an absent one is valid. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): readonly Problem[] {
  return together(
    validateLabels(selector?.matchLabels, `${path}.matchLabels`),
    each(selector?.matchExpressions, `${path}.matchExpressions`, (e, at) => {
      return together(
        validateOperator(e, at),
        validateQualifiedName(e.key, `${at}.key`),
        (e.values ?? []).flatMap((v, j) => validateLabelValue(v, `${at}.values[${j}]`)),
      );
    }),
  );
}
