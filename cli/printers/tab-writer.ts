// Aligns text by elastic tabstops, as Go's text/tabwriter does: the layout of kubectl's tables and descriptions.

/** How cells become columns: a column is as wide as its widest cell and the padding, but at least the minimum. */
export interface TabStyle {
  readonly minWidth: number;
  readonly padding: number;
}

/** `kubectl get`, and every other table. */
export const tableStyle: TabStyle = { minWidth: 6, padding: 3 };
/** `kubectl describe`. */
export const describeStyle: TabStyle = { minWidth: 0, padding: 2 };

/** Colours a cell of a column; the result is printed without changing the width. */
export type Paint = (cell: string, column: number) => string;

/** The number of code points, as Go counts the width of a cell. */
function widthOf(text: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII, whose length is its number of code points.
  if (/^[\x00-\x7f]*$/.test(text)) return text.length;
  return [...text].length;
}

interface Block {
  readonly style: TabStyle;
  /** The widths of columns in earlier blocks, which are updated. */
  readonly remembered?: number[];
  readonly paint?: Paint | undefined;
}

/** Pads the cells of consecutive lines. The last cell of a line belongs to no column. */
function formatBlock(
  lines: readonly (readonly string[])[],
  { style, remembered, paint = (cell) => cell }: Block,
): string {
  const widths: number[] = [];
  let output = "";
  const write = (from: number, to: number): void => {
    for (const line of lines.slice(from, to)) {
      for (const [i, cell] of line.entries()) {
        const width = widths[i];
        output += paint(cell, i) + (width === undefined ? "" : " ".repeat(Math.max(0, width - widthOf(cell))));
      }
      output += "\n";
    }
  };
  const format = (from: number, to: number): void => {
    const column = widths.length;
    let written = from;
    for (let start = from; start < to; start++) {
      if (column >= lines[start]!.length - 1) continue;
      write(written, start);
      let end = start;
      let width = style.minWidth;
      for (; end < to && column < lines[end]!.length - 1; end++)
        width = Math.max(width, widthOf(lines[end]![column]!) + style.padding);
      if (remembered !== undefined) {
        width = Math.max(width, remembered[column] ?? 0);
        remembered[column] = width;
      }
      widths.push(width);
      format(start, end);
      widths.pop();
      written = end;
      start = end - 1;
    }
    write(written, to);
  };
  format(0, lines.length);
  return output;
}

/** Aligns lines whose cells are separated by tabs. */
export const alignTabs = (text: string, style: TabStyle): string => {
  const hasEnd = text.endsWith("\n");
  const aligned = formatBlock(
    (hasEnd ? text.slice(0, -1) : text).split("\n").map((line) => line.split("\t")),
    { style },
  );
  return hasEnd ? aligned : aligned.slice(0, -1);
};

/** Aligns batches of lines that follow one another: a column never becomes narrower than in an earlier batch. */
export function rememberingWriter(style: TabStyle, paint?: Paint): (lines: readonly (readonly string[])[]) => string {
  const remembered: number[] = [];
  return (lines) => (lines.length === 0 ? "" : formatBlock(lines, { style, remembered, paint }));
}
