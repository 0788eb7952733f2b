// Directives of a strategic merge patch, and the errors of their misuse. Pure.
import { ApiError } from "../../../api/errors.ts";
import { printed } from "./printed.ts";

export type Json = Record<string, unknown>;
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is to be done with the map it stands in: `replace` or `delete`. */
export const directive = "$patch";
/** Names the fields a map keeps, whatever else it had. */
export const retainKeys = "$retainKeys";
/** Before the name of a list, whose members shall stand in this order. */
export const order = "$setElementOrder/";
/** Before the name of a list of scalars, which shall lose these. */
export const deletion = "$deleteFromPrimitiveList/";

const isWord = (name: string): boolean =>
  name === directive || name === retainKeys || name.startsWith(order) || name.startsWith(deletion);

/**
 * What a patch puts where there was nothing: itself, without our words and without nulls. A map that says what is to be
 * done with it is no part of that, so there may be nothing left.
 */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  return value[directive] === undefined ? plainFields(value) : undefined;
}

/** The fields of a map, each as {@link plain} leaves it. */
export function plainFields(map: Json): Json {
  const kept = Object.entries(map).filter(([name, inner]) => inner !== null && !isWord(name));
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, plain(inner)]).filter(([, inner]) => inner !== undefined),
  );
}

const bad = (because: string): ApiError => new ApiError("BadRequest", because);
const typeOf = (value: unknown): string => {
  if (value === null) return "%!s(<nil>)";
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : typeof value;
};

export const unknownDirective = (map: Json): ApiError =>
  bad(`unknown patch type: ${printed(map[directive])} in map: ${printed(map)}`);
export const noMergeKey = (map: Json, key: string): ApiError =>
  bad(`map: ${printed(map)} does not contain declared merge key: ${key}`);
export const badRetainKeys = (): ApiError => bad("invalid patch format of retainKeys");
export const noListMerge = (): ApiError => bad("merging lists cannot yet be specified in the patch");
export const noKeyDeclared = (): ApiError => bad("cannot merge lists without merge key");
export const mixedLists = (...lists: readonly (readonly unknown[])[]): ApiError =>
  bad(`list element types are not identical: ${printed(lists)}`);
export const listsOfLists = (): ApiError =>
  new ApiError("Invalid", "the server rejected our request due to an error in our request");
export const otherOrder = (list: readonly unknown[], wanted: readonly unknown[]): ApiError =>
  bad(`The order in patch list:\n${printed(list)}\n doesn't match $setElementOrder list:\n${printed(wanted)}\n`);

/** A list, or a refusal of what should have been one. */
export function listIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw bad(`expected a []interface {}, but received a ${typeOf(value)}`);
}
/** A map, or a refusal of what should have been one. */
export function mapIn(value: unknown): Json {
  if (isObject(value)) return value;
  throw bad(`expected a map[string]interface {}, but received a ${typeOf(value)}`);
}
