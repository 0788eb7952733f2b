// What can be wrong with the conditions of what shares the server out: each type once.
import type { Problem } from "../errors.ts";
import { duplicate, required } from "../problems.ts";

interface Conditioned {
  readonly status?: { readonly conditions?: readonly { readonly type?: string }[] };
}

/** What is wrong with the status of a flow, or of a level of priority. */
export function validateFlowStatus({ status }: Conditioned): readonly Problem[] {
  const all = status?.conditions ?? [];
  return all.flatMap(({ type }, i) => {
    const path = `status.conditions[${i}].type`;
    return [
      ...(all.findIndex((other) => other.type === type) < i ? [duplicate(path, type)] : []),
      ...(type ? [] : [required(path, "must not be empty")]),
    ];
  });
}
