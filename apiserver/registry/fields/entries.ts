// `metadata.managedFields` as data: one entry per manager, operation, version and subresource. Pure.
import type { ApiObject, ManagedFieldsEntry } from "../../../api/meta.ts";
import { type FieldSet, fromFieldsV1, isEmpty, minus, sameFields, toFieldsV1, union } from "./set.ts";

/** An entry, with its fields as a set. */
export interface Owner {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

/** More than so many entries of updates are not kept apart: the oldest become one. */
const mostUpdaters = 10;

/** The identity of an entry. For an apply it does not depend on the version. */
export const idOf = ({ manager, operation, apiVersion, subresource }: ManagedFieldsEntry): string =>
  JSON.stringify({
    manager,
    operation,
    ...(operation !== "Apply" && { apiVersion }),
    ...(subresource && { subresource }),
  });

/** The account in an object, or why it is none. */
export function readOwners(entries: readonly ManagedFieldsEntry[] = []): readonly Owner[] | string {
  const owners = new Map<string, Owner>();
  for (const [i, entry] of entries.entries()) {
    if (entry.operation !== "Apply" && entry.operation !== "Update") return "operation must be `Apply` or `Update`";
    if (!entry.apiVersion) return "apiVersion must not be empty";
    if (!entry.fieldsType) return `missing fieldsType in managed fields entry ${i}`;
    if (entry.fieldsType !== "FieldsV1")
      return `invalid fieldsType ${JSON.stringify(entry.fieldsType)} in managed fields entry ${i}`;
    const fields = fromFieldsV1(entry.fieldsV1 ?? {});
    if (!fields) return `error decoding versioned set of managed fields entry ${i}`;
    owners.set(idOf(entry), { entry, fields });
  }
  return [...owners.values()];
}

/** The account in an object; one that cannot be read is as good as none. */
export function ownersOf(object: ApiObject): readonly Owner[] {
  const owners = readOwners(object.metadata.managedFields);
  return typeof owners === "string" ? [] : owners;
}

const secondsOf = ({ time }: ManagedFieldsEntry): number =>
  time === undefined ? 0 : Math.floor(Date.parse(time) / 1000);
const before = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0);
const inOrder = (a: ManagedFieldsEntry, b: ManagedFieldsEntry): number =>
  before(a.operation, b.operation) ||
  secondsOf(a) - secondsOf(b) ||
  before(a.manager, b.manager) ||
  before(a.apiVersion, b.apiVersion) ||
  before(a.subresource, b.subresource);

/** Owners without these fields; an owner of nothing is dropped. */
export function deprived(owners: readonly Owner[], lost: FieldSet): readonly Owner[] {
  return owners.flatMap((owner) => {
    const fields = minus(owner.fields, lost);
    if (isEmpty(fields)) return [];
    return [sameFields(fields, owner.fields) ? owner : { ...owner, fields }];
  });
}

/** The oldest of too many updates made one, version by version. */
function capped(owners: readonly Owner[]): readonly Owner[] {
  if (owners.length <= mostUpdaters) return owners;
  const updaters = owners
    .filter(({ entry }) => entry.operation === "Update")
    .toSorted((a, b) => secondsOf(a.entry) - secondsOf(b.entry) || before(idOf(a.entry), idOf(b.entry)));
  let many = updaters.length;
  const kept = new Map(owners.map((owner) => [idOf(owner.entry), owner]));
  const first = new Map<string, Owner>();
  for (const updater of updaters) {
    if (many <= mostUpdaters) break;
    const { apiVersion = "" } = updater.entry;
    const other = first.get(apiVersion);
    if (!other) {
      first.set(apiVersion, updater);
      continue;
    }
    const entry: ManagedFieldsEntry = {
      manager: "ancient-changes",
      operation: "Update",
      apiVersion,
      ...(updater.entry.time !== undefined && { time: updater.entry.time }),
      fieldsType: "FieldsV1",
    };
    const old = kept.get(idOf(entry)) ?? other;
    kept.delete(idOf(other.entry));
    kept.delete(idOf(updater.entry));
    kept.set(idOf(entry), { entry, fields: union(old.fields, updater.fields) });
    many--;
  }
  return [...kept.values()];
}

/** The object with this account. */
export function withOwners(object: ApiObject, owners: readonly Owner[]): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata;
  const entries = capped(owners)
    .map(({ entry, fields }) => ({ ...entry, fieldsType: "FieldsV1", fieldsV1: toFieldsV1(fields) }))
    .sort(inOrder);
  return { ...object, metadata: { ...metadata, ...(entries.length > 0 && { managedFields: entries }) } };
}
