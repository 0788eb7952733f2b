// Parses field selectors of query strings. Source: the API concepts page, "Field Selectors"; the messages are
// Kubernetes'.

/** One comparison of a field with a value. */
export interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

/** The parsed requirements, or the parse error. */
export type ParsedFields = { readonly requirements: readonly FieldRequirement[] } | { readonly wrong: string };

/** Terms are separated by commas without a backslash. */
const termsOf = (text: string): readonly string[] => text.match(/(?:\\.|[^\\,]|\\$)+/gs) ?? [];

/** The value without escapes, or the parse error. */
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
