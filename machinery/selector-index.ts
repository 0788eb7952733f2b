// Indexes by labels and by selectors, so that neither the objects a selector picks nor the selectors that pick an
// object are found by looking at all of a namespace; and which children an owner adopts and releases by its selector.
import { type ApiObject, controllerOf } from "../api/meta.ts";
import { sameJson } from "../api/hash.ts";
import { type LabelSelectorLike, selects } from "../api/selector.ts";
import type { Indexes, Lister } from "./view.ts";
import type { ResourceDefinition } from "../api/kinds.ts";
import type { Action } from "./action.ts";

type Namespace = string | undefined;
const pair = (namespace: Namespace, [name, value]: readonly [string, string]): string =>
  `${namespace ?? ""}/${name}=${value}`;
const every = (namespace: Namespace): string => `${namespace ?? ""}/`;

const labelPairs = ({ metadata: { namespace, labels = {} } }: ApiObject): readonly string[] => [
  every(namespace),
  ...Object.entries(labels).map((label) => pair(namespace, label)),
];
/** A label that every matching object has; for a selector without one, the namespace. */
function requiredPair(namespace: Namespace, { matchLabels = {} }: LabelSelectorLike): string {
  const [first] = Object.entries(matchLabels);
  return first ? pair(namespace, first) : every(namespace);
}

/** Objects by each of their labels. */
export const byLabels: Indexes<ApiObject> = { labels: labelPairs };
/** Objects without a controller by each of their labels: the ones that can be adopted. */
export const uncontrolled: Indexes<ApiObject> = { uncontrolled: (o) => (controllerOf(o) ? [] : labelPairs(o)) };

type SelectorOf<T> = (object: T) => LabelSelectorLike | undefined;
/** Objects with a selector, by one label that selector requires. */
export const bySelector = <T extends ApiObject>(selectorOf: SelectorOf<T>): Indexes<T> => ({
  selector: (o) => {
    const selector = selectorOf(o);
    return selector ? [requiredPair(o.metadata.namespace, selector)] : [];
  },
});

/** The objects of a namespace that a selector picks, from a view indexed by {@link byLabels}. */
export const selectedBy = <T extends ApiObject>(
  { byIndex }: Pick<Lister<T>, "byIndex">,
  namespace: Namespace,
  selector: LabelSelectorLike,
  index: "labels" | "uncontrolled" = "labels",
): readonly T[] =>
  byIndex(index, requiredPair(namespace, selector)).filter((o) => selects(selector, o.metadata.labels));

/** The objects whose selector matches this one, from a view indexed by {@link bySelector}. */
export const selectorsOf = <T extends ApiObject>(
  { byIndex }: Pick<Lister<T>, "byIndex">,
  selectorOf: SelectorOf<T>,
  object: ApiObject,
): readonly T[] =>
  labelPairs(object)
    .flatMap((value) => byIndex("selector", value))
    .filter((o) => selects(selectorOf(o), object.metadata.labels));

/** The objects whose selector matches this one, or matched it before a change. */
export const selectorsOfChange = <T extends ApiObject>(
  lister: Pick<Lister<T>, "byIndex">,
  selectorOf: SelectorOf<T>,
  object: ApiObject,
  before: ApiObject | undefined,
): readonly T[] => {
  const picking = selectorsOf(lister, selectorOf, object);
  if (before === undefined || sameJson(before.metadata.labels, object.metadata.labels)) return picking;
  return [...picking, ...selectorsOf(lister, selectorOf, before)];
};

/** An owner, its kind, and how it selects its children. */
export interface Owner {
  readonly kind: ResourceDefinition;
  readonly object: ApiObject;
  readonly selector: LabelSelectorLike | undefined;
  /** A finalizer that its children have. */
  readonly finalizer?: string;
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
  const finalizer = owner.finalizer === undefined ? {} : { finalizer: owner.finalizer };
  const owned: T[] = [];
  const actions: Action[] = [];
  for (const child of children) {
    const controller = controllerOf(child);
    if (controller !== undefined && controller.uid !== uid) continue;
    const isPicked = selects(owner.selector, child.metadata.labels);
    const isFixed = deletionTimestamp !== undefined || child.metadata.deletionTimestamp !== undefined;
    if (controller !== undefined && (isPicked || isFixed)) owned.push(child);
    else if (controller !== undefined)
      actions.push({ do: "release", resource: kind, object: child, owner: owner.object, ...finalizer });
    else if (isPicked && !isFixed && canAdopt(child)) {
      owned.push(child);
      actions.push({
        do: "adopt",
        resource: kind,
        object: child,
        owner: owner.object,
        ownerKind: owner.kind,
        ...finalizer,
      });
    }
  }
  return { owned, actions };
}
