// Values as Go prints them, which messages and printed paths show.

/** The entries that JSON has, sorted by key as in Go's maps. */
export const sortedEntries = (map: object): readonly (readonly [string, unknown])[] =>
  Object.entries(map)
    .filter(([, value]) => value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));

/** A number as Go writes it with `%v`, and in YAML: floats in the shortest form, with an exponent from a million. */
export function goNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e19) return BigInt(value).toString();
  const [mantissa, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

export const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The type of a value in Go's words, for errors. */
export function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isMap(value)) return "map[string]interface {}";
  return typeof value === "number"
    ? Number.isInteger(value)
      ? "int64"
      : "float64"
    : typeof value === "boolean"
      ? "bool"
      : "string";
}

/** A scalar as Go prints it with `%v`. */
export const scalarText = (value: unknown): string =>
  value === null || value === undefined ? "" : typeof value === "number" ? goNumber(value) : String(value);

/** A value as Go prints it with `%v`. */
export function goText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([k, v]) => `${k}:${goText(v)}`)
      .join(" ")}]`;
  return value === null ? "<nil>" : scalarText(value);
}

/** A value in Go's syntax, as kubectl prints the object of a failed template. */
export function goSyntax(value: unknown): string {
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(", ")}}`;
  if (isMap(value)) {
    const entries = sortedEntries(value).map(([key, item]) => `${JSON.stringify(key)}:${goSyntax(item)}`);
    return `map[string]interface {}{${entries.join(", ")}}`;
  }
  return value === null ? "interface {}(nil)" : typeof value === "string" ? JSON.stringify(value) : scalarText(value);
}
