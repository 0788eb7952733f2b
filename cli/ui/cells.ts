// Terminal cells: the width of text with wide and combining characters, cutting and padding. Pure.

/** The size of a terminal, or of a part of it, in cells. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const segmenter = new Intl.Segmenter();

/** Code points of East Asian wide and fullwidth characters, as pairs of the first and the last. Source: UAX #11. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];
const isWide = (codePoint: number): boolean =>
  codePoint >= 0x1100 && wideRanges.some(([first, last]) => first <= codePoint && codePoint <= last);

/** What one user-perceived character occupies: a flag or a family is one character of several code points. */
function graphemeWidth(grapheme: string): number {
  if (/^\p{Emoji_Presentation}|\ufe0f/u.test(grapheme)) return 2;
  if (/^[\p{Mark}\p{Format}]+$/u.test(grapheme)) return 0;
  return isWide(grapheme.codePointAt(0) ?? 0) ? 2 : 1;
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** The number of cells of a text without control characters. */
export function widthOf(text: string): number {
  if (isAscii(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The part of a text that begins at a cell and has at most so many cells. Characters are never divided. */
export function sliceCells(text: string, start: number, cells: number): string {
  if (isAscii(text)) return text.slice(start, start + cells);
  let at = 0;
  let slice = "";
  for (const { segment } of segmenter.segment(text)) {
    const width = graphemeWidth(segment);
    if (at >= start && at + width <= start + cells) slice += segment;
    at += width;
    if (at >= start + cells) break;
  }
  return slice;
}

/** Where a text that does not fit is cut: names differ at both ends. */
export type Cut = "end" | "middle";

/** The text in exactly so many cells: padded with spaces, or cut with an ellipsis. */
export function fitted(text: string, cells: number, cut: Cut = "end"): string {
  const width = widthOf(text);
  if (width <= cells) return text + " ".repeat(cells - width);
  if (cells < 1) return "";
  const tail = cut === "middle" ? Math.floor((cells - 1) * 0.6) : 0;
  const end = tail === 0 ? "" : sliceCells(text, width - tail, tail);
  const start = sliceCells(text, 0, cells - 1 - tail);
  // A wide character that does not fit leaves a cell.
  return `${start}…${end}`.padEnd(`${start}…${end}`.length + cells - widthOf(start) - 1 - widthOf(end));
}

/** Text for one line of the screen: without terminal sequences, tabs as spaces, control characters as dots. */
export function printable(text: string): string {
  if (isAscii(text)) return text;
  return (
    text
      // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences that colour text or move the cursor.
      .replaceAll(/\x1b(?:\[[\d;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])/g, "")
      .replaceAll("\t", "    ")
      .replaceAll(/[\p{Control}\u2028\u2029]|\p{Bidi_Control}/gu, "·")
  );
}
