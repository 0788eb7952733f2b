// Matches label selectors, in the form of objects and, parsed by label-selector.ts, of query strings. Source: the API
// concepts page, "Labels and Selectors".

export interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt";
  readonly values: readonly string[];
}
export type Labels = Readonly<Record<string, string>>;

/** `metav1.LabelSelector`. An empty one selects everything; none at all selects nothing. */
export interface LabelSelectorLike {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

function holds(r: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, r.key) ? labels[r.key] : undefined;
  switch (r.operator) {
    case "In":
      return value !== undefined && r.values.includes(value);
    case "NotIn":
      return value === undefined || !r.values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return compares(value, r.values[0], (a, b) => a > b);
    case "Lt":
      return compares(value, r.values[0], (a, b) => a < b);
  }
}

/** Compares integers of any length; other text compares false. */
function compares(
  value: string | undefined,
  other: string | undefined,
  by: (a: bigint, b: bigint) => boolean,
): boolean {
  const [a, b] = [value, other].map((text) =>
    /^[+-]?\d+$/.test(text ?? "") ? BigInt(text!.replace("+", "")) : undefined,
  );
  return a !== undefined && b !== undefined && by(a, b);
}

/** Whether labels meet all requirements. */
export const matches = (requirements: readonly Requirement[], labels: Labels | undefined): boolean =>
  requirements.every((r) => holds(r, labels ?? {}));

/** The requirements of a selector object. */
export function requirementsOf(selector: LabelSelectorLike): readonly Requirement[] {
  return [
    ...Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
      key,
      operator: "In" as const,
      values: [value],
    })),
    ...(selector.matchExpressions ?? []).map((e) => ({
      key: e.key,
      operator: e.operator as Requirement["operator"],
      values: e.values ?? [],
    })),
  ];
}

/** Whether a selector object matches these labels. */
export const selects = (selector: LabelSelectorLike | undefined, labels: Labels | undefined): boolean =>
  selector !== undefined && matches(requirementsOf(selector), labels);

function written({ key, operator, values }: Requirement): string {
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  return `${key} ${operator === "In" ? "in" : "notin"} (${values.toSorted().join(",")})`;
}

/** The query-string spelling of a selector object, by key, as `status.selector` of a scale carries it. */
export const selectorText = ({ matchLabels = {}, matchExpressions = [] }: LabelSelectorLike = {}): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...requirementsOf({ matchExpressions }).map((r) => ({ key: r.key, text: written(r) })),
  ]
    .toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(",");
