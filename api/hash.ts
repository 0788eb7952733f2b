// Names derived from content, and comparison of values as JSON.
import { flatText } from "./flat-text.ts";

/** The characters of Kubernetes' generated names, without vowels. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A 53-bit non-cryptographic hash (cyrb53). */
function mix(text: string): number {
  let low = 0xdeadbeef;
  let high = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    low = Math.imul(low ^ unit, 2654435761);
    high = Math.imul(high ^ unit, 1597334677);
  }
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  return 4294967296 * (2097151 & high) + (low >>> 0);
}

/** A hash of the text in at most 11 characters. */
export function hashName(text: string, length: number): string {
  let rest = mix(text);
  let name = "";
  for (let i = 0; i < length; i++) {
    name += alphabet[rest % alphabet.length];
    rest = Math.floor(rest / alphabet.length);
  }
  return name;
}

/** Another UID for each text, made of that of an owner, so that a repeated decision makes the same. */
export const derivedUid = (uid: string, text: string): string =>
  flatText(uid.slice(0, 24), mix(`${uid}/${text}`).toString(16).padStart(12, "0").slice(-12));

/** `<owner>-<5 letters>`: the deterministic name of the child in a slot, cut to a valid length. */
export const childName = (
  owner: { readonly name: string; readonly uid: string },
  slot: number | string,
  salt: number,
): string => flatText(owner.name.slice(0, 57), "-", hashName(`${owner.uid}/${slot}/${salt}`, 5));

/** JSON with sorted keys: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    v !== null && typeof v === "object" && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}

/** Memoizes a function of an object by its identity; for objects from views, which are never modified. */
export function memoized<O extends object, T>(compute: (object: O) => T): (object: O) => T {
  const known = new WeakMap<O, { readonly value: T }>();
  return (object) => {
    const entry = known.get(object) ?? { value: compute(object) };
    known.set(object, entry);
    return entry.value;
  };
}

/** {@link canonicalJson} of an object that is never modified, computed once. */
export const canonicalText: (object: object) => string = memoized(canonicalJson);

/** Whether two values are the same JSON, in any order of keys; undefined fields count as absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return sameItems(a, b);
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>];
  for (const key in left) if (!sameJson(left[key], right[key])) return false;
  for (const key in right) if (right[key] !== undefined && left[key] === undefined) return false;
  return true;
}

function sameItems(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!sameJson(a[i], b[i])) return false;
  return true;
}
