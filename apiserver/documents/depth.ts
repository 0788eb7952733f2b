// How deep a document may go: whoever walks through a value goes a step down for each of its levels, and has only so
// many. Pure.

/** Deeper than anybody ever needed, and far from where a walk would fall off its stack. */
const mostLevels = 1_000;

const [quote, backslash] = [0x22, 0x5c];
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

/** Whether the brackets of a text go too deep, found out before anybody walks through what it says. */
export function isTooDeep(text: string): boolean {
  // Shorter ones cannot.
  if (text.length <= mostLevels) return false;
  let level = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) at = afterString(text, at) - 1;
    else if (opens(unit)) level++;
    else if (closes(unit)) level--;
    if (level > mostLevels) return true;
  }
  return false;
}

/** What a document that is too deep is refused with. */
export const tooDeep = "exceeded max depth";
