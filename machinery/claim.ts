// Which children an owner controls: uncontrolled ones its selector picks are adopted, controlled ones it does not pick
// are released. Pure; the live check of the owner is part of the action.
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, controllerOf } from "../api/meta.ts";
import { type LabelSelectorLike, selects } from "../api/selector.ts";
import type { Action } from "./action.ts";

/** An owner, its kind, and how it selects its children. */
export interface Owner {
  readonly kind: ResourceDefinition;
  readonly object: ApiObject;
  readonly selector: LabelSelectorLike | undefined;
}
/** The children an owner has once the actions are carried out. */
interface Claimed<T> {
  readonly owned: readonly T[];
  readonly actions: readonly Action[];
}

/**
 * Claims among `children`: what is being deleted is neither adopted nor released, and an owner that is being deleted
 * claims nothing new. `canAdopt` excludes more.
 */
export function claim<T extends ApiObject>(
  owner: Owner,
  kind: ResourceDefinition<T>,
  children: readonly T[],
  canAdopt: (child: T) => boolean = () => true,
): Claimed<T> {
  const { uid, deletionTimestamp } = owner.object.metadata;
  const owned: T[] = [];
  const actions: Action[] = [];
  for (const child of children) {
    const controller = controllerOf(child);
    if (controller !== undefined && controller.uid !== uid) continue;
    const isPicked = selects(owner.selector, child.metadata.labels);
    const isFixed = deletionTimestamp !== undefined || child.metadata.deletionTimestamp !== undefined;
    if (controller !== undefined && (isPicked || isFixed)) owned.push(child);
    else if (controller !== undefined)
      actions.push({ do: "release", resource: kind, object: child, owner: owner.object });
    else if (isPicked && !isFixed && canAdopt(child)) {
      owned.push(child);
      actions.push({ do: "adopt", resource: kind, object: child, owner: owner.object, ownerKind: owner.kind });
    }
  }
  return { owned, actions };
}
