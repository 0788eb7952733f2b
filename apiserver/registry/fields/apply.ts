// Server-side apply: a manager says what it wants to be so, and no more. What it said last time and no longer says
// goes, unless somebody else says it too; what somebody else owns is changed only by force. Pure.
import { sameJson } from "../../../api/hash.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { difference, fieldsOf } from "./compare.ts";
import { conflictError, type Conflicts, conflictsBut, conflictsWith, fieldsIn } from "./conflicts.ts";
import { deprived, idOf, type Owner, ownersOf, withOwners } from "./entries.ts";
import { fromClientSide } from "./last-applied.ts";
import { merged, without, withWays } from "./merge.ts";
import { common, type FieldSet, isEmpty, minus, noFields, sameFields, union } from "./set.ts";
import { createdBy, entryOf, ownable, touchable, type Writer } from "./update.ts";

/** The owners of what stands there. What is from before anybody kept account belongs to nobody in particular. */
function claimed(r: ResourceDefinition, live: ApiObject, writer: Writer): readonly Owner[] {
  const owners = ownersOf(live);
  if (owners.length > 0) return owners;
  return ownersOf(createdBy(r, live, { ...writer, manager: "before-first-apply" }, noFields));
}

/** Without what this manager said and no longer says, and nobody else does. */
function pruned(r: ResourceDefinition, over: unknown, last: FieldSet, held: FieldSet): ApiObject {
  const { schema } = r;
  const standing = common(held, fieldsOf(schema, over));
  return without(schema, over, minus(withWays(schema, last), withWays(schema, standing))) as ApiObject;
}

function refuse(r: ResourceDefinition, live: ApiObject, conflicts: Conflicts, manager: string): void {
  if (conflicts.length === 0) return;
  if (manager !== "kubectl") throw conflictError(conflicts);
  const allowed = fromClientSide(r, live);
  if (!isEmpty(minus(fieldsIn(conflicts), allowed))) throw conflictError(conflictsBut(conflicts, allowed));
}

/** What becomes of what stands there when a manager applies what it wants. */
export function applied(
  r: ResourceDefinition,
  live: ApiObject,
  wanted: ApiObject,
  writer: Writer,
  force: boolean,
): ApiObject {
  const owners = claimed(r, live, writer);
  const entry = entryOf(r, "Apply", writer);
  const before = owners.find((owner) => idOf(owner.entry) === idOf(entry));
  const others = owners.filter((owner) => owner !== before);
  const said = touchable(r, fieldsOf(r.schema, wanted), writer.subresource);
  const held = others.reduce((all, { fields }) => union(all, fields), said);
  const bare = withOwners(live, []);
  const over = merged(r.schema, bare, wanted);
  const next = before ? pruned(r, over, before.fields, held) : (over as ApiObject);
  const found = difference(r, bare, next);
  const changed = touchable(r, found.changed, writer.subresource);
  if (!force) refuse(r, live, conflictsWith(others, changed), writer.manager);
  const left = deprived(others, union(changed, touchable(r, found.removed, writer.subresource)));
  const own = ownable(said);
  const isSame = sameJson(bare, next);
  const kept = before && sameFields(before.fields, own);
  const { time, ...timeless } = entry;
  const mine = { entry: isSame ? { ...timeless, ...(before?.entry.time && { time: before.entry.time }) } : entry };
  const after = [...left, ...(isEmpty(own) ? [] : [{ ...mine, fields: own }])];
  return isSame && kept && left.length === others.length ? live : withOwners(next, after);
}

/** A new object as a manager says it, all of which belongs to it. */
export function appliedNew(r: ResourceDefinition, wanted: ApiObject, writer: Writer): ApiObject {
  const own = ownable(touchable(r, fieldsOf(r.schema, wanted), writer.subresource));
  return withOwners(wanted, isEmpty(own) ? [] : [{ entry: entryOf(r, "Apply", writer), fields: own }]);
}
