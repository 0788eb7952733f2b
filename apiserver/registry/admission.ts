// Rules that need to look beyond the object itself, in order: before it is judged by its own kind, and after.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { Present, Storage } from "../storage/storage.ts";

/** What stands around the object. All rules of one write share one look, so that each of them costs next to nothing. */
export type Look = () => Promise<Present>;

function lookInto(storage: Storage): Look {
  let present: Promise<Present> | undefined;
  return () => {
    present ??= storage.present();
    return present;
  };
}

/** One rule. `object` is absent on delete, `old` on create; either half throws to refuse. */
export interface Admission {
  readonly name: string;
  readonly applies: (r: ResourceDefinition) => boolean;
  /** The object as it may stand. */
  readonly admit?: (
    r: ResourceDefinition,
    object: ApiObject | undefined,
    old: ApiObject | undefined,
    look: Look,
  ) => Promise<ApiObject | undefined>;
  /** A last look at an object that is known to be right in itself. */
  readonly judge?: (r: ResourceDefinition, object: ApiObject, old: ApiObject | undefined, look: Look) => Promise<void>;
}

/** What a write has to do with the rules. */
interface Admitting {
  /** The object after every rule that applies to it. */
  admitted<O extends ApiObject | undefined>(object: O): Promise<O>;
  /** Throws what the first rule has against an object that is about to be stored. */
  judged(object: ApiObject): Promise<void>;
}

/** The rules that apply to a kind, about to be asked about a write in the place of `old`. */
export function admitting(
  admissions: readonly Admission[],
  storage: Storage,
  r: ResourceDefinition,
  old: ApiObject | undefined,
): Admitting {
  const look = lookInto(storage);
  const rules = admissions.filter((rule) => rule.applies(r));
  return {
    async admitted<O extends ApiObject | undefined>(object: O) {
      let next: ApiObject | undefined = object;
      for (const { admit } of rules) if (admit) next = await admit(r, next, old, look);
      return next as O;
    },
    async judged(object) {
      for (const { judge } of rules) if (judge) await judge(r, object, old, look);
    },
  };
}
