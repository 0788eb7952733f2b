// Writes JSON as Go's encoder writes structs: keys in their order, and escapes of the characters that HTML reserves.

const escapes: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** A value as JSON, on one line unless `indent` is positive. */
export const orderedJson = (value: unknown, indent = 0): string =>
  JSON.stringify(value, undefined, indent).replaceAll(/[<>&\u2028\u2029]/g, (c) => escapes[c]!);
