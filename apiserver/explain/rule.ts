// How objects of a kind are explained: what is read of their surroundings, and a pure decision what the causes are.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Instant } from "../../api/meta.ts";
import type { Finding } from "./finding.ts";
import type { Reader } from "./reader.ts";

interface Declaration<T extends ApiObject, O> {
  readonly kind: ResourceDefinition<T>;
  /** Reads what the decision depends on, as far as the user may read it. */
  readonly observe: (object: T, reader: Reader) => Promise<O>;
  /** Pure. */
  readonly decide: (object: T, observed: O, now: Instant) => Finding;
  /** Whether the object is as desired by its own status; it is explained in lists only when it is not. */
  readonly isAsDesired?: (object: T) => boolean;
}

/** A rule of one kind; methods, so that a rule of pods is one of objects. */
export interface CauseRule<T extends ApiObject = ApiObject> {
  readonly kind: ResourceDefinition<T>;
  find(object: T, reader: Reader, now: Instant): Promise<Finding>;
  isAsDesired?(object: T): boolean;
}

export const causeRule = <T extends ApiObject, O>({
  kind,
  observe,
  decide,
  isAsDesired,
}: Declaration<T, O>): CauseRule<T> => ({
  kind,
  find: async (object, reader, now) => decide(object, await observe(object, reader), now),
  ...(isAsDesired && { isAsDesired }),
});
