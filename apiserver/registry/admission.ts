// Rules that need to look beyond the object itself, in order, before it is judged and stored.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";

/**
 * One rule. `object` is absent on delete, `old` on create; the answer is the object as it may stand, or a refusal is
 * thrown.
 */
export interface Admission {
  readonly name: string;
  readonly applies: (r: ResourceDefinition) => boolean;
  readonly admit: (
    r: ResourceDefinition,
    object: ApiObject | undefined,
    old: ApiObject | undefined,
  ) => Promise<ApiObject | undefined>;
}

/** The object after every rule that applies to it. */
export async function admitted<O extends ApiObject | undefined>(
  admissions: readonly Admission[],
  r: ResourceDefinition,
  object: O,
  old: ApiObject | undefined,
): Promise<O> {
  let admitting: ApiObject | undefined = object;
  for (const rule of admissions) if (rule.applies(r)) admitting = await rule.admit(r, admitting, old);
  return admitting as O;
}
