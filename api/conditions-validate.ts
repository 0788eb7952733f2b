// What can be wrong with conditions, where a kind uses the common ones. Source: the API conventions, "Typical status
// properties".
import type { Problem } from "./errors.ts";
import type { Condition } from "./generated/types.ts";
import { validateQualifiedName } from "./names.ts";
import { duplicate, invalid, oneOf, required, tooLong } from "./problems.ts";

const statuses = ["False", "True", "Unknown"];
const reasonForm = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reason = new RegExp(`^${reasonForm}$`);
const wrongReason =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'";
const mostReason = 1024;
const mostMessage = 32 * 1024;

function validateReason(text: string, path: string): readonly Problem[] {
  if (!text) return [required(path)];
  const detail = `${wrongReason} (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '${reasonForm}')`;
  return [
    ...(reason.test(text) ? [] : [invalid(path, text, detail)]),
    ...(text.length > mostReason ? [tooLong(path, mostReason)] : []),
  ];
}

/** Each type once, and every word of it there. */
export function validateConditions(all: readonly Condition[] = [], path: string): readonly Problem[] {
  return all.flatMap((c, i) => {
    const at = `${path}[${i}]`;
    return [
      ...(all.findIndex((other) => other.type === c.type) < i ? [duplicate(at, c.type)] : []),
      ...(c.type ? validateQualifiedName(c.type, `${at}.type`) : [required(`${at}.type`, "is required")]),
      ...(c.status ? oneOf(c.status, `${at}.status`, statuses) : [required(`${at}.status`)]),
      ...((c.observedGeneration ?? 0) < 0
        ? [invalid(`${at}.observedGeneration`, c.observedGeneration, "must be greater than or equal to zero")]
        : []),
      ...(c.lastTransitionTime ? [] : [required(`${at}.lastTransitionTime`)]),
      ...validateReason(c.reason, `${at}.reason`),
      ...((c.message ?? "").length > mostMessage ? [tooLong(`${at}.message`, mostMessage)] : []),
    ];
  });
}
