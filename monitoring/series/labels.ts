// Label sets of series: pairs of names and values, sorted by name. Immutable.

/** The label that holds the name of a metric. */
export const metricName = "__name__";

/** Compares by code units, which for labels in UTF-16 is the order of Prometheus except beyond the basic plane. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * A label set. Names and values alternate in one array, since a store holds hundreds of thousands of sets. A label with
 * an empty value is the same as none.
 */
export class Labels {
  readonly flat: readonly string[];
  #key: string | undefined;

  private constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  /** Of pairs in any order. A name that occurs twice has its last value. */
  static of(pairs: Iterable<readonly [string, string]>): Labels {
    const all = [...new Map(pairs)].filter(([, value]) => value !== "");
    return new Labels(all.toSorted(([a], [b]) => compareText(a, b)).flat());
  }
  static ofRecord(record: Readonly<Record<string, string>>): Labels {
    return Labels.of(Object.entries(record));
  }
  /** Of an array as in {@link flat}. */
  static ofSorted(flat: readonly string[]): Labels {
    return new Labels(flat);
  }

  /** Equal for equal sets, and different for different ones. */
  get key(): string {
    this.#key ??= this.flat.join("\u0000");
    return this.#key;
  }
  /** The value of a label; empty without one. */
  get(name: string): string {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === name) return flat[i + 1]!;
    return "";
  }
  pairs(): readonly (readonly [string, string])[] {
    return Array.from({ length: this.flat.length / 2 }, (_, i) => [this.flat[2 * i]!, this.flat[2 * i + 1]!] as const);
  }
  /** Only the labels whose names pass. */
  filter(passes: (name: string) => boolean): Labels {
    const flat: string[] = [];
    for (let i = 0; i < this.flat.length; i += 2)
      if (passes(this.flat[i]!)) flat.push(this.flat[i]!, this.flat[i + 1]!);
    return flat.length === this.flat.length ? this : new Labels(flat);
  }
  /** With these labels added or replaced; an empty value removes one. */
  with(...pairs: readonly (readonly [string, string])[]): Labels {
    return Labels.of([...this.pairs(), ...pairs]);
  }
  withoutName(): Labels {
    return this.flat[0] === metricName ? new Labels(this.flat.slice(2)) : this.filter((name) => name !== metricName);
  }
  toRecord(): Record<string, string> {
    return Object.fromEntries(this.pairs());
  }
}

export const noLabels = Labels.ofSorted([]);
