// The account after an ordinary write: whoever changes a field owns it from now on, and nobody else does. Pure.
import { apiVersionOf, type ResourceDefinition } from "../../../api/kinds.ts";
import { type ApiObject, type Instant, type ManagedFieldsEntry, timestamp } from "../../../api/meta.ts";
import { bornFields } from "./initial.ts";
import { difference } from "./compare.ts";
import { deprived, idOf, type Owner, withOwners } from "./entries.ts";
import { type FieldSet, isEmpty, minus, pathsOf, union, withoutBelow } from "./set.ts";

/** Who writes, and which part of the object. */
export interface Writer {
  readonly manager: string;
  readonly subresource?: string;
  readonly now: Instant;
}

const serversOwn = [
  ["f:apiVersion"],
  ["f:kind"],
  ...[
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
  ].map((name) => ["f:metadata", `f:${name}`]),
];
/** What the server says of every object belongs to nobody, */
const said = pathsOf(...serversOwn);
/** and neither does what this stands in. */
const ownerless = pathsOf(...serversOwn, ["f:metadata"]);
const status = pathsOf(["f:status"]);
const spec = pathsOf(["f:spec"]);

/** What a write to this part of the object cannot touch is nothing to own by it. */
export function touchable(r: ResourceDefinition, fields: FieldSet, subresource: string | undefined): FieldSet {
  if (subresource === "status") return withoutBelow(fields, spec);
  return subresource === undefined && r.subresources.includes("status") ? withoutBelow(fields, status) : fields;
}
/** What can be owned of these fields at all. */
export const ownable = (fields: FieldSet): FieldSet => minus(fields, ownerless);

/** An entry of this writer, without its fields. */
export function entryOf(
  r: ResourceDefinition,
  operation: "Apply" | "Update",
  { manager, subresource, now }: Writer,
): ManagedFieldsEntry {
  return {
    manager: manager || "unknown",
    operation,
    apiVersion: apiVersionOf(r),
    // Whoever only scales is known, but not when: as in the original.
    ...(subresource !== "scale" && { time: timestamp(now) }),
    fieldsType: "FieldsV1",
    ...(subresource !== undefined && { subresource }),
  };
}

const [saidOrSpec, saidOrStatus] = [union(said, spec), union(said, status)];
/** What a writer of this part cannot own of a new object. */
function foreign(r: ResourceDefinition, subresource: string | undefined): FieldSet {
  if (subresource === "status") return saidOrSpec;
  return subresource === undefined && r.subresources.includes("status") ? saidOrStatus : said;
}

/** A new object, whose fields belong to whoever made it. `unsaid` is what nobody said and nobody defaulted. */
export function createdBy(r: ResourceDefinition, object: ApiObject, writer: Writer, unsaid: FieldSet): ApiObject {
  const fieldsV1 = bornFields(r, object, union(foreign(r, writer.subresource), unsaid));
  const { managedFields: _, ...metadata } = object.metadata;
  const managedFields = [{ ...entryOf(r, "Update", writer), fieldsV1 }];
  return { ...object, metadata: { ...metadata, ...(fieldsV1 && { managedFields }) } };
}

/** An object after a write that changed `before`, of which these were the owners, to `after`. */
export function updatedBy(
  r: ResourceDefinition,
  owners: readonly Owner[],
  { before, after }: { readonly before: ApiObject; readonly after: ApiObject },
  writer: Writer,
): ApiObject {
  const found = difference(r, before, after);
  const changed = touchable(r, found.changed, writer.subresource);
  const removed = touchable(r, found.removed, writer.subresource);
  const lost = union(changed, removed);
  if (isEmpty(lost)) return withOwners(after, owners);
  const entry = entryOf(r, "Update", writer);
  const mine = ownable(changed);
  const left = deprived(owners, lost);
  if (isEmpty(mine)) return withOwners(after, left);
  const held = left.find((owner) => idOf(owner.entry) === idOf(entry));
  const others = left.filter((owner) => owner !== held);
  return withOwners(after, [...others, { entry, fields: held ? union(held.fields, mine) : mine }]);
}
