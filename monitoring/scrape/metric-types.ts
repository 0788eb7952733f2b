// The types and descriptions of metrics, from the comments of scraped texts.

export interface MetricType {
  readonly type: string;
  readonly help: string;
  readonly unit: string;
}
export interface MetricTypes {
  /** Notes a comment line, if it is one of a type or a description. */
  note(line: string): void;
  all(): ReadonlyMap<string, MetricType>;
}

/** Metrics beyond this number have none. */
const limit = 20_000;
const form = /^#[ \t]+(TYPE|HELP)[ \t]+(\S+)[ \t]*(.*)$/;

export function metricTypes(): MetricTypes {
  const known = new Map<string, MetricType>();
  // Most lines were seen before, and are recognised without being parsed.
  const seen = new Set<string>();
  return {
    note(line) {
      if (seen.has(line) || seen.size >= 2 * limit) return;
      seen.add(line);
      const [, what, name, text = ""] = form.exec(line.trimEnd()) ?? [];
      if (name === undefined || (!known.has(name) && known.size >= limit)) return;
      const before = known.get(name) ?? { type: "unknown", help: "", unit: "" };
      known.set(
        name,
        what === "TYPE" ? { ...before, type: text === "untyped" ? "unknown" : text } : { ...before, help: text },
      );
    },
    all: () => known,
  };
}
