// Rules that need to look beyond the object itself, in order: before it is judged by its own kind, and after.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";

/** One rule. `object` is absent on delete, `old` on create; either half throws to refuse. */
export interface Admission {
  readonly name: string;
  readonly applies: (r: ResourceDefinition) => boolean;
  /** The object as it may stand. */
  readonly admit?: (
    r: ResourceDefinition,
    object: ApiObject | undefined,
    old: ApiObject | undefined,
  ) => Promise<ApiObject | undefined>;
  /** A last look at an object that is known to be right in itself. */
  readonly judge?: (r: ResourceDefinition, object: ApiObject, old: ApiObject | undefined) => Promise<void>;
}

/** The object after every rule that applies to it. */
export async function admitted<O extends ApiObject | undefined>(
  admissions: readonly Admission[],
  r: ResourceDefinition,
  object: O,
  old: ApiObject | undefined,
): Promise<O> {
  let admitting: ApiObject | undefined = object;
  for (const { applies, admit } of admissions) if (admit && applies(r)) admitting = await admit(r, admitting, old);
  return admitting as O;
}

/** Throws what the first rule has against an object that is about to be stored. */
export async function judged(
  admissions: readonly Admission[],
  r: ResourceDefinition,
  object: ApiObject,
  old: ApiObject | undefined,
): Promise<void> {
  for (const { applies, judge } of admissions) if (judge && applies(r)) await judge(r, object, old);
}
