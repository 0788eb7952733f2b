// Indexes by labels and by selectors, so that neither the objects a selector picks nor the selectors that pick an
// object are found by looking at all of a namespace.
import type { ApiObject } from "../api/meta.ts";
import { controllerOf } from "../api/meta.ts";
import { type LabelSelectorLike, selects } from "../api/selector.ts";
import type { Indexes, Lister } from "./view.ts";

type Namespace = string | undefined;
const pair = (namespace: Namespace, [name, value]: readonly [string, string]): string =>
  `${namespace ?? ""}/${name}=${value}`;
const every = (namespace: Namespace): string => `${namespace ?? ""}/`;

const labelPairs = ({ metadata: { namespace, labels = {} } }: ApiObject): readonly string[] => [
  every(namespace),
  ...Object.entries(labels).map((label) => pair(namespace, label)),
];
/** A label every picked object has; of a selector without one, the whole namespace. */
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

/** The objects whose selector picks this one, from a view indexed by {@link bySelector}. */
export const selectorsOf = <T extends ApiObject>(
  { byIndex }: Pick<Lister<T>, "byIndex">,
  selectorOf: SelectorOf<T>,
  object: ApiObject,
): readonly T[] =>
  labelPairs(object)
    .flatMap((value) => byIndex("selector", value))
    .filter((o) => selects(selectorOf(o), object.metadata.labels));
