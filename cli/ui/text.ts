// Lines of text that are scrolled and searched; of logs, with those that are written meanwhile. Pure.
import { type Size, widthOf } from "./cells.ts";
import { matcherOf } from "./filter.ts";

export interface Text {
  readonly kind: "text";
  readonly isLog: boolean;
  /** All lines, printable; of a log, the last ones. */
  readonly lines: readonly string[];
  /** In a log, only lines that match are shown; elsewhere, matches are marked. */
  readonly search: string;
  /** The lines that can be scrolled to. */
  readonly shown: readonly string[];
  /** The first line in view. */
  readonly top: number;
  /** How many cells are scrolled out of view on the left. */
  readonly left: number;
  readonly wraps: boolean;
  /** Whether the end stays in view as lines are added. */
  readonly isFollowing: boolean;
}

/** How many lines of a log are kept. */
export const maxLines = 5_000;
/** How many characters of a line of a log are kept. */
export const maxLineLength = 2_000;

export const emptyText = (isLog: boolean): Text => ({
  kind: "text",
  isLog,
  lines: [],
  search: "",
  shown: [],
  top: 0,
  left: 0,
  wraps: isLog,
  isFollowing: isLog,
});

const matching = (lines: readonly string[], { isLog, search }: Text): readonly string[] =>
  isLog && search !== "" ? lines.filter(matcherOf(search)) : lines;

/** The text with these lines, or with these added to a log. */
export function withLines(text: Text, lines: readonly string[], replaces: boolean): Text {
  if (replaces) return { ...text, lines, shown: matching(lines, text) };
  const all = [...text.lines, ...lines];
  const kept = all.slice(-maxLines);
  const shown = matching(kept, text);
  // Lines that were dropped must not move those in view.
  const dropped = all.length === kept.length ? 0 : matching(all.slice(0, all.length - kept.length), text).length;
  return { ...text, lines: kept, shown, top: text.top - dropped };
}

/** How many rows of the screen a line takes. */
export const heightOf = (line: string, { wraps }: Text, columns: number): number =>
  wraps ? Math.max(1, Math.ceil(widthOf(line) / columns)) : 1;

/** The first line in view when the end is. */
function lastTop(text: Text, { columns, rows }: Size): number {
  let used = 0;
  for (let i = text.shown.length; i > 0; i--) {
    used += heightOf(text.shown[i - 1]!, text, columns);
    if (used > rows) return Math.min(i, text.shown.length - 1);
  }
  return 0;
}

/** The text with its position within its lines; `size` is that of the part in view. */
export function settled(text: Text, size: Size): Text {
  const last = lastTop(text, size);
  const top = text.isFollowing ? last : Math.max(0, Math.min(text.top, last));
  return top === text.top ? text : { ...text, top };
}

/** The text scrolled to a line. At the end of a log, it follows. */
export function scrolledTo(text: Text, top: number, size: Size): Text {
  const isFollowing = text.isLog && top >= lastTop(text, size);
  return settled({ ...text, top, isFollowing }, size);
}

/** The first match at a line or before or after it, around the ends; undefined when nothing matches. */
function findMatch({ shown, search }: Text, start: number, direction: 1 | -1): number | undefined {
  const matches = matcherOf(search);
  for (let i = 0; i < shown.length; i++) {
    const at = (start + i * direction + shown.length * 2) % shown.length;
    if (matches(shown[at]!)) return at;
  }
  return undefined;
}

/** The text after a search was typed: filtered in a log, else at the first match from here on. */
export function searched(text: Text, search: string, size: Size): Text {
  if (text.isLog) {
    const filtered = { ...text, search };
    return settled({ ...filtered, shown: matching(text.lines, filtered) }, size);
  }
  const found = { ...text, search };
  const at = search === "" ? undefined : findMatch(found, text.top, 1);
  return at === undefined ? found : scrolledTo(found, at, size);
}

/** The text at the next match, or at the one before. */
export function nextMatch(text: Text, direction: 1 | -1, size: Size): Text {
  const at = text.search === "" ? undefined : findMatch(text, text.top + direction, direction);
  return at === undefined ? text : scrolledTo(text, at, size);
}
