// Quotes text as Go's `strconv.Quote` does, for messages.

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
const escaped = /["\\\p{C}\u2028\u2029]/gu;

/** `"text"` with non-printable characters escaped. */
export const quoted = (text: string): string =>
  `"${text.replace(escaped, (character) => {
    const point = character.codePointAt(0)!;
    if (named[character] !== undefined) return named[character];
    if (point < 0x80) return `\\x${point.toString(16).padStart(2, "0")}`;
    const hex = point.toString(16);
    return point < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  })}"`;

/** `["a" "b"]`, as Go prints a list of quoted texts. */
export const quotedList = (texts: readonly string[]): string => `[${texts.map(quoted).join(" ")}]`;

/** Messages of several errors as one, as Kubernetes prints them: each once, in brackets when there are several. */
export function aggregated(messages: readonly string[]): string {
  const distinct = [...new Set(messages)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(", ")}]`;
}
