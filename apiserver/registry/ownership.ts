// Whose the fields of an object are: kept account of from its birth when it is made over the wire, and then by every
// write, whoever makes it. What the server's own components make for themselves has no account. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Draft, Instant } from "../../api/meta.ts";
import { type Owner, ownersOf, readOwners } from "./fields/entries.ts";
import { unsetFieldsIn } from "./fields/unset.ts";
import { createdBy, updatedBy, type Writer } from "./fields/update.ts";

/** In whose name a write is made, and how the account is kept. */
export interface Ownership {
  /** Without one, the server's own components. */
  readonly manager?: string;
  /** Take the account the write brings along. */
  readonly ownership?: "given";
}
/** When something is written, and which part of the object. */
export interface Occasion {
  readonly now: Instant;
  readonly subresource?: string;
}

const components = "kube-controller-manager";

const unowned = (object: ApiObject): ApiObject => {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
};

/** A new object with its first account, if one is kept. `said` is what its maker said of it. */
export function initialOwnership(
  r: ResourceDefinition,
  object: ApiObject,
  said: Draft<ApiObject>,
  { manager, ownership, now }: Ownership & Occasion,
): ApiObject {
  if (ownership === "given") return object;
  if (manager === undefined) return unowned(object);
  return createdBy(r, object, { manager, now }, unsetFieldsIn(r, said));
}

/** An empty list, or one empty entry, is how a client asks for the account to be thrown away. */
const isCleared = ({ metadata: { managedFields: given } }: ApiObject): boolean =>
  given !== undefined && (given.length === 0 || (given.length === 1 && Object.keys(given[0]!).length === 0));

/** The account a write starts from: the one it brings along, if it can be read; else the one that stands. */
function accountOf(before: ApiObject, after: ApiObject, subresource: string | undefined): readonly Owner[] {
  const given = after.metadata.managedFields;
  if (subresource !== undefined || given === before.metadata.managedFields) return ownersOf(before);
  if (isCleared(after)) return [];
  const read = readOwners(given);
  return typeof read === "string" || read.length === 0 ? ownersOf(before) : read;
}

/** A changed object with its account brought up to date. */
export function ownedAfter(
  r: ResourceDefinition,
  before: ApiObject,
  after: ApiObject,
  { manager = components, ownership, now, subresource }: Ownership & Occasion,
): ApiObject {
  if (ownership === "given") return after;
  if (before.metadata.managedFields === undefined && after.metadata.managedFields === undefined) return after;
  const owners = accountOf(before, after, subresource);
  if (owners.length === 0) return unowned(after);
  const writer: Writer = { manager, now, ...(subresource !== undefined && { subresource }) };
  return updatedBy(r, owners, { before, after: unowned(after) }, writer);
}
