// What the punctuation of a document shows before anybody walks through what it says: how deep it goes, and how many
// fields it names. Pure.

/**
 * Whoever walks through a value goes a step down for each of its levels, and has only so many: deeper than anybody ever
 * needed, and far from where a walk would fall off its stack.
 */
const mostLevels = 1_000;

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const opens = (unit: number): boolean => unit === 0x7b || unit === 0x5b;
const closes = (unit: number): boolean => unit === 0x7d || unit === 0x5d;

/** Behind the end of a string that begins at `from`. */
function afterString(text: string, from: number): number {
  let end = text.indexOf('"', from + 1);
  while (end > 0) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++;
    if (escapes % 2 === 0) return end + 1;
    end = text.indexOf('"', end + 1);
  }
  return text.length;
}

/** What the punctuation of a text shows, that of strings aside. */
export interface Outline {
  readonly isTooDeep: boolean;
  /** So many fields are named, when the text is JSON. */
  readonly fields: number;
}

/** The outline of a text; of one that is too deep it is not looked at to its end. */
export function outlineOf(text: string): Outline {
  let level = 0;
  let fields = 0;
  for (let at = 0; at < text.length && level <= mostLevels; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) at = afterString(text, at) - 1;
    else if (unit === colon) fields++;
    else if (opens(unit)) level++;
    else if (closes(unit)) level--;
  }
  return { isTooDeep: level > mostLevels, fields };
}

/** How many fields a value has, in all its objects: fewer than its text names when that says something twice. */
export function fieldsIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let fields = 0;
  if (Array.isArray(value)) for (const item of value) fields += fieldsIn(item);
  else for (const name in value) fields += 1 + fieldsIn((value as Readonly<Record<string, unknown>>)[name]);
  return fields;
}

/** What a document that is too deep is refused with. */
export const tooDeep = "exceeded max depth";
