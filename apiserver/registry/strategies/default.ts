// The strategies every resource has unless it overrides them: of the object itself, of its status, and of subresources
// whose body is laid over the object.
import type { Draft } from "../../../api/meta.ts";
import { type AnyObject, updated, withoutUndefined } from "../prepare.ts";
import { nextMeta, validateMetaUpdate } from "../metadata.ts";
import type { Strategy } from "./strategy.ts";

/** With a status subresource, the object's own writes neither set nor change the status. */
export const defaultStrategy: Strategy = {
  prepareForCreate(draft, { r }) {
    if (!r.subresources.includes("status")) return draft;
    const { status: _, ...rest } = draft as AnyObject;
    return rest as Draft<AnyObject>;
  },
  prepareForUpdate(next, old, { r }) {
    const draft = r.subresources.includes("status") ? { ...next, status: (old as AnyObject).status } : next;
    return updated(r, draft, old);
  },
  validateUpdate: (next, old, { r }) => [
    ...validateMetaUpdate(r, next.metadata, old.metadata),
    ...r.validate(next as Draft<AnyObject>, old),
  ],
  warnings: (next, old, { r }) => r.warnings(next as Draft<AnyObject>, old),
  tracksFields: true,
  deletion: {},
};

/** A write of the status leaves everything else as it is, some metadata aside. */
export const statusStrategy = ({ statusKeeps = [] }: Pick<Strategy, "statusKeeps">): Strategy => ({
  ...defaultStrategy,
  readsStatusOnly: true,
  prepareForUpdate(next, old, { r }) {
    const { status, metadata } = next as AnyObject;
    const kept = Object.fromEntries(statusKeeps.map((field) => [field, old.metadata[field]]));
    return withoutUndefined({
      ...old,
      metadata: nextMeta(statusKeeps.length === 0 ? metadata : { ...metadata, ...kept }, old.metadata),
      status: status && r.statusDefaults(status),
    });
  },
  validateUpdate: (next, old, { r }) => [
    ...validateMetaUpdate(r, next.metadata, old.metadata),
    ...r.validateStatus(next, old),
  ],
  warnings: () => [],
});

/** The body is laid over the object, which is then written as in any update. */
export const mergeStrategy = (merge: NonNullable<Strategy["merge"]>, own: Partial<Strategy> = {}): Strategy => ({
  ...defaultStrategy,
  merge,
  ...own,
});
