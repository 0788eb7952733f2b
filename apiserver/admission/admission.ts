// Rules that need to look beyond the object itself, in order: before it is judged by its own kind, and after.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
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

/** What is written, and where: `old` is absent on create, `part` where the whole object is written. */
export interface Place {
  readonly r: ResourceDefinition;
  readonly old: ApiObject | undefined;
  readonly part?: WritableSubresource | undefined;
}
/** A write as its rules see it. */
export interface Writing extends Place {
  readonly look: Look;
}

/** One rule. `object` is absent on delete; either half throws to refuse. */
export interface Admission {
  readonly name: string;
  readonly applies: (r: ResourceDefinition) => boolean;
  /** The object as it may stand; the very one it was given where the rule has nothing to say. */
  readonly admit?: (
    object: ApiObject | undefined,
    writing: Writing,
  ) => ApiObject | undefined | Promise<ApiObject | undefined>;
  /** A last look at an object that is known to be right in itself. */
  readonly judge?: (object: ApiObject, writing: Writing) => void | Promise<void>;
}

/** What a write has to do with the rules. */
interface Admitting {
  /** The object after every rule that applies to it. */
  admitted<O extends ApiObject | undefined>(object: O): Promise<O>;
  /** Throws what the first rule has against an object that is about to be stored. */
  judged(object: ApiObject): Promise<void>;
}

/** Asks the rules that apply to a kind about a write. Which those are is found out once for every kind. */
export function admitting(admissions: readonly Admission[], storage: Storage): (place: Place) => Admitting {
  const rulesOf = new WeakMap<ResourceDefinition, readonly Admission[]>();
  return (place) => {
    const rules = rulesOf.get(place.r) ?? admissions.filter((rule) => rule.applies(place.r));
    rulesOf.set(place.r, rules);
    const writing: Writing = { ...place, look: lookInto(storage) };
    return {
      async admitted<O extends ApiObject | undefined>(object: O) {
        let next: ApiObject | undefined = object;
        for (const { admit } of rules) {
          const answer: ReturnType<NonNullable<Admission["admit"]>> = admit ? admit(next, writing) : next;
          // Waiting for what is there already would cost every write.
          next = answer instanceof Promise ? await answer : answer;
        }
        return next as O;
      },
      async judged(object) {
        for (const { judge } of rules) if (judge) await judge(object, writing);
      },
    };
  };
}
