// Finds the names that a mistyped one may have meant.

/** The Damerau-Levenshtein distance between two words: changed, added, missing and swapped letters. */
export function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = rows[i - 1]![j - 1]! + Number(a[i - 1] !== b[j - 1]);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? rows[i - 2]![j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(changed, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

/** The names within two letters of the word, or that it begins; the nearest first. */
export function similar(word: string, names: readonly string[]): readonly string[] {
  const lower = word.toLowerCase();
  const ranked = names.map((name) => ({ name, by: distance(lower, name.toLowerCase()) }));
  return ranked
    .filter(
      ({ name, by }) =>
        by <= (Math.min(word.length, name.length) <= 4 ? 1 : 2) ||
        (lower !== "" && name.toLowerCase().startsWith(lower)),
    )
    .toSorted((x, y) => x.by - y.by)
    .map(({ name }) => name);
}
