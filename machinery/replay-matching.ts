// Whether a recorded change is what an action writes. Pure.
import type { ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, controllerOf, type Instant, keyOf, type Revision } from "../api/meta.ts";
import type { Action } from "./action.ts";

/** One change of a history; without `after` a deletion, without `before` a creation. */
export interface RecordedChange {
  readonly kind: ResourceDefinition;
  readonly revision: Revision;
  readonly time: Instant;
  readonly before: ApiObject | undefined;
  readonly after: ApiObject | undefined;
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null;

/** A decision that is made at another moment writes another time. */
const isTime = /Time(stamp)?$/;

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (Array.isArray(value) && value.length === 0);

/** Whether a value has every field of another one. Null, as in a patch, and an empty list are as good as absent. */
function includes(value: unknown, part: unknown): boolean {
  if (part === undefined) return true;
  if (isEmpty(part)) return isEmpty(value);
  if (Array.isArray(part))
    return Array.isArray(value) && part.length === value.length && part.every((item, i) => includes(value[i], item));
  if (!isFields(part)) return value === part;
  return Object.entries(part).every(([field, own]) => {
    const other = isFields(value) ? value[field] : undefined;
    return isTime.test(field) && typeof own === "string" ? typeof other === "string" : includes(other, own);
  });
}

/** The actions that are about one existing object. */
type ObjectAction = Exclude<Action, { readonly do: "create" | "event" }>;
export const isOnObject = (action: Action): action is ObjectAction => action.do !== "create" && action.do !== "event";

const written = ({ metadata, ...fields }: ApiObject): Fields => {
  const { labels, annotations, finalizers, ownerReferences } = metadata;
  const { status: _, ...rest } = fields as Fields;
  return { ...rest, metadata: { labels, annotations, finalizers, ownerReferences } };
};

/** Whether an object has what an action on it writes. Of patches, only merge patches are looked into. */
export function fits(action: ObjectAction, object: ApiObject): boolean {
  switch (action.do) {
    case "status":
    case "approve":
      return includes((object as ApiObject & { readonly status?: unknown }).status ?? {}, action.status);
    case "update":
      return includes(object, written(action.object));
    case "patch":
      return action.patch.type !== "merge" || includes(object, withoutVersion(action.patch.patch as Fields));
    case "adopt":
      return controllerOf(object)?.uid === action.owner.metadata.uid;
    case "release":
      return controllerOf(object)?.uid !== action.owner.metadata.uid;
    default:
      return object.metadata.deletionTimestamp !== undefined;
  }
}

/** What makes a patch apply to one version only is no part of its result. */
function withoutVersion({ metadata, ...patch }: Fields): Fields {
  if (!isFields(metadata)) return patch;
  const { resourceVersion: _, ...kept } = metadata;
  return { ...patch, metadata: kept };
}

/** The draft without what the server decides. */
const drafted = ({ metadata, ...draft }: { readonly metadata: { readonly labels?: object } } & object): Fields => {
  const { apiVersion: _, kind: __, status: ___, ...rest } = draft as Fields;
  return { ...rest, metadata: { labels: metadata.labels } };
};

/** Whether a change carries out an action. Objects of an owner are interchangeable: their names follow from counts. */
export function isFulfilled(action: Action, { kind, before, after }: RecordedChange): boolean {
  if (action.do === "event" || action.resource !== kind) return false;
  if (action.do === "create") {
    if (!after || before) return false;
    const { metadata } = action.draft;
    const owner = controllerOf({ metadata });
    const isPlace = metadata.namespace === after.metadata.namespace;
    const isSame = owner ? controllerOf(after)?.uid === owner.uid : metadata.name === after.metadata.name;
    return isPlace && isSame && includes(after, drafted(action.draft));
  }
  const object = after ?? before!;
  if (keyOf(object) !== keyOf(action.object)) return false;
  if (action.do === "delete" || action.do === "evict")
    return !after || (after.metadata.deletionTimestamp !== undefined && !before?.metadata.deletionTimestamp);
  return after !== undefined && before !== undefined && fits(action, after);
}
