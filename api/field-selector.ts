// The text of a field selector, as query strings carry it: comparisons, their escapes, and what is said of a wrong one.
// Source: the API concepts page, "Field Selectors"; the sentences are those clients know.

/** One comparison of a field with a value. */
export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** What a text asks for, or why it asks for nothing that makes sense. */
export type ParsedFields = { readonly requirements: readonly FieldRequirement[] } | { readonly wrong: string };

/** Commas part the terms, unless a backslash says that they are meant. */
const termsOf = (text: string): readonly string[] => text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? [];

/** The value without its backslashes, or what is wrong with it. */
function unescaped(text: string): { readonly value: string } | { readonly wrong: string } {
  let value = "";
  for (const [, slash, escaped = "", plain = ""] of text.matchAll(/(\\)(.?)|(.)/gsu)) {
    if (slash && !["\\", ",", "="].includes(escaped))
      return { wrong: `invalid field selector: invalid escape sequence: \\${escaped}` };
    if (plain === "," || plain === "=")
      return { wrong: `invalid field selector: unescaped character in value: ${plain.codePointAt(0)}` };
    value += escaped || plain;
  }
  return { value };
}

/** Parse `spec.nodeName=a,status.phase!=Running`. Nothing is trimmed: a space belongs to the name or the value. */
export function parseFieldSelector(text: string): ParsedFields {
  const requirements: FieldRequirement[] = [];
  for (const term of [...termsOf(text)].sort()) {
    const found = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (!found) return { wrong: `invalid selector: '${text}'; can't understand '${term}'` };
    const value = unescaped(found[3]!);
    if ("wrong" in value) return value;
    requirements.push({ field: found[1]!, equal: found[2] !== "!=", value: value.value });
  }
  return { requirements };
}
