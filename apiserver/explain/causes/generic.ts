// Why an object of any kind is not as desired: its finalizers, and the conditions of its status. Pure.
import type { Condition } from "../../../api/conditions.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { asDesired, failing, type Finding } from "../finding.ts";
import { deletionFinding } from "./replicated.ts";

/** Conditions that should be True, by convention. */
const positive = ["Ready", "Available", "Established", "NamesAccepted", "Accepted", "Programmed"];

/** For kinds without a rule of their own. */
export function decideGeneric(object: ApiObject): Finding {
  const deletion = deletionFinding(object);
  if (deletion) return deletion;
  const { status } = object as { readonly status?: { readonly conditions?: unknown } };
  const conditions = Array.isArray(status?.conditions) ? (status.conditions as readonly Condition[]) : [];
  const bad = conditions.filter((c) => positive.includes(c.type) && c.status === "False");
  if (bad.length === 0) return asDesired("exists");
  return failing(
    `its condition ${bad[0]!.type} is False`,
    ...bad.map(({ type, reason, message }) => ({
      reason: reason || `Not${type}`,
      message: message || `${type} is False`,
    })),
  );
}
