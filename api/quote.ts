// Text in quotes, as the original writes what it was given into its sentences.

const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};
const hidden = /["\\\p{C}\u2028\u2029]/gu;

/** `"text"` with what cannot be seen spelled out. */
export const quoted = (text: string): string =>
  `"${text.replace(hidden, (character) => {
    const point = character.codePointAt(0)!;
    if (named[character] !== undefined) return named[character];
    if (point < 0x80) return `\\x${point.toString(16).padStart(2, "0")}`;
    const hex = point.toString(16);
    return point < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  })}"`;
