// Lists under a strategic merge patch: sets of scalars, or of maps with a merge key. Pure.
import { sameJson } from "../../../api/hash.ts";
import * as words from "./directives.ts";
import { isObject, type Json, mapIn, noMergeKey } from "./directives.ts";

/** How the members of a list are told apart and merged. */
export interface Members {
  /** The field that names a member; of scalars none. */
  readonly key: string | undefined;
  readonly merge: (member: Json, patch: Json) => Json;
}

function idOf(member: unknown, key: string | undefined): unknown {
  if (key === undefined || !isObject(member)) return member;
  if (member[key] === undefined) throw noMergeKey(member, key);
  return member[key];
}

/** Whether members are maps; a list whose members differ in type can be neither merged nor ordered. */
function areMaps(...lists: readonly (readonly unknown[])[]): boolean {
  const members = lists.flat();
  const [first] = members;
  if (Array.isArray(first)) throw words.listsOfLists();
  const sort = (member: unknown): string => (Array.isArray(member) ? "list" : member === null ? "null" : typeof member);
  if (members.some((member) => sort(member) !== sort(first))) throw words.mixedLists(...lists);
  return isObject(first);
}

/**
 * Members in the order that is asked for, and among them those nobody asked about, each before whatever it stood
 * before. What is new comes first.
 */
export function arranged(
  members: readonly unknown[],
  wanted: readonly unknown[],
  original: readonly unknown[],
  key: string | undefined,
): unknown[] {
  const placeIn = (list: readonly unknown[], member: unknown): number => {
    const id = idOf(member, key);
    return list.findIndex((other) => sameJson(idOf(other, key), id));
  };
  const by = (list: readonly unknown[]) => (a: unknown, b: unknown) => placeIn(list, a) - placeIn(list, b);
  const named = members.filter((member) => placeIn(wanted, member) >= 0).toSorted(by(wanted));
  const others = members.filter((member) => placeIn(wanted, member) < 0).toSorted(by(original));
  const result: unknown[] = [];
  for (const other of others) {
    const was = placeIn(original, other);
    const isLater = (member: unknown): boolean => was >= 0 && was < placeIn(original, member);
    while (named.length > 0 && !isLater(named[0])) result.push(named.shift());
    result.push(other);
  }
  return [...result, ...named];
}

/** What is left of a list, and what is to be merged into it, once members that are words have had their say. */
function obeyed(
  before: readonly unknown[],
  patch: readonly Json[],
  key: string,
): { readonly left: readonly unknown[]; readonly wanted: readonly Json[] } {
  let left = before;
  const wanted = patch.filter((member) => member[words.directive] === undefined);
  for (const member of patch) {
    const word = member[words.directive];
    if (word === undefined || word === "replace") continue;
    if (word === "merge") throw words.noListMerge();
    if (word !== "delete") throw words.unknownDirective(member);
    const id = idOf(member, key);
    left = left.filter((other) => !sameJson(idOf(other, key), id));
  }
  const isReplaced = patch.some((member) => member[words.directive] === "replace");
  return isReplaced ? { left: wanted.map(words.plainFields), wanted: [] } : { left, wanted };
}

/** What a list becomes when another is merged into it. */
export function mergedList(before: readonly unknown[], patch: readonly unknown[], { key, merge }: Members): unknown[] {
  if (before.length + patch.length === 0) return [];
  if (!areMaps(before, patch)) {
    const both = [...before, ...patch];
    const once = both.filter((member, i) => both.findIndex((other) => sameJson(other, member)) === i);
    return arranged(once, patch, before, undefined);
  }
  if (key === undefined) throw words.noKeyDeclared();
  const { left, wanted } = obeyed(before, patch as readonly Json[], key);
  const result = [...left];
  for (const member of wanted) {
    const id = idOf(member, key);
    const at = result.findIndex((other) => sameJson(idOf(other, key), id));
    if (at >= 0) result[at] = merge(mapIn(result[at]), member);
    else result.push(words.plainFields(member));
  }
  return arranged(result, wanted, left, key);
}

/** Whether the members of a patch stand in the order the patch itself asks for; refused when they do not. */
function checkOrder(list: readonly unknown[], wanted: readonly unknown[], key: string | undefined): void {
  if (wanted.length === 0) return;
  const named = list.filter((member) => !isObject(member) || member[words.directive] === undefined);
  let next = 0;
  for (const member of named) {
    const at = wanted.findIndex((other, i) => i >= next && sameJson(idOf(other, key), idOf(member, key)));
    if (at < 0) throw words.otherOrder(list, wanted);
    next = at + 1;
  }
}

/** What a list becomes when its patch says in which order its members shall stand; there may be no such list. */
export function orderedList(
  before: readonly unknown[] | undefined,
  patch: readonly unknown[] | undefined,
  wanted: readonly unknown[],
  members: Members,
): unknown[] | undefined {
  if (patch) checkOrder(patch, wanted, members.key);
  if (before === undefined && patch === undefined) return undefined;
  const merged =
    before && patch ? mergedList(before, patch, members) : [...(before ?? (words.plain(patch) as unknown[]))];
  return arranged(merged, wanted, before ?? [], members.key);
}
