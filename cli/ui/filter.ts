// Filters of rows and lines, as they are typed after `/`. Pure.

/** Whether a line of text passes a filter: a regular expression, or its opposite after `!`; otherwise plain text. */
export function matcherOf(filter: string): (text: string) => boolean {
  if (filter === "" || filter === "!" || filter.startsWith("-l")) return () => true;
  if (filter.startsWith("!")) {
    const matches = matcherOf(filter.slice(1));
    return (text) => !matches(text);
  }
  try {
    const pattern = new RegExp(filter, "i");
    return (text) => pattern.test(text);
  } catch {
    const lower = filter.toLowerCase();
    return (text) => text.toLowerCase().includes(lower);
  }
}
