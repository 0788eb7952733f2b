// Styled text of the screen, and the terminal sequences of its styles. Pure.
import { sliceCells, widthOf } from "./cells.ts";

export type Color = "red" | "green" | "yellow" | "cyan";
export interface Style {
  readonly color?: Color | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly inverse?: boolean;
}
export interface Span {
  readonly text: string;
  readonly style?: Style;
}
/** One line of the screen. */
export type Line = readonly Span[];

/** A line of exactly so many cells. */
export function line(columns: number, spans: readonly Span[]): Line {
  let used = 0;
  const kept: Span[] = [];
  for (const { text, style } of spans) {
    const shown = sliceCells(text, 0, columns - used);
    used += widthOf(shown);
    if (shown !== "") kept.push(style === undefined ? { text: shown } : { text: shown, style });
  }
  return used < columns ? [...kept, { text: " ".repeat(columns - used) }] : kept;
}

/** The text of a line, without its styles. */
export const plain = (spans: Line): string => spans.map(({ text }) => text).join("");

/** SGR codes. Source: ECMA-48. */
const codes = { red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** The text of a line with terminal sequences. Without colours, what is bold or inverted remains so. */
export function painted(spans: Line, hasColors: boolean): string {
  return spans
    .map(({ text, style: { color, bold, dim, inverse } = {} }) => {
      const all = [
        ...(bold ? [1] : []),
        ...(dim && hasColors ? [2] : []),
        ...(inverse ? [7] : []),
        ...(color !== undefined && hasColors ? [codes[color]] : []),
      ];
      return all.length === 0 ? text : `\x1b[${all.join(";")}m${text}\x1b[0m`;
    })
    .join("");
}
