// A trace as a waterfall: one line per span under its cause, with its beginning, its duration and a bar. Time in which
// nothing happened between a cause and what follows from it is shown, and named. Pure.
import type { SpanRecord, Trace } from "../../api/explanation/trace.ts";

export interface WaterfallOptions {
  /** Also shows the attributes of spans, and every part in a line of its own. */
  readonly isWide: boolean;
  /** Of the terminal, in columns. */
  readonly width: number;
}

/** Milliseconds in three significant digits, in the unit that suits. */
export function durationText(ms: number): string {
  if (ms < 0.0005) return "0";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  const seconds = ms / 1000;
  return seconds < 120
    ? `${seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(1)} s`
    : `${(seconds / 60).toFixed(1)} min`;
}

interface Line {
  readonly span: SpanRecord;
  readonly depth: number;
  /** Its short parts. */
  readonly parts: readonly SpanRecord[];
  /** From the end of its cause to its beginning, where that is long enough to be of interest. */
  readonly gap: number;
}

/** Parts that are written behind what they are part of, not in lines of their own. */
const folded: ReadonlySet<string> = new Set([
  "mutating admission",
  "validation and validating admission",
  "commit to storage",
  "queue wait",
  "back-off",
]);

/** Shorter gaps are the ordinary way through queues and sockets. */
const leastGapMs = 1;

/** The spans in the order of a walk through the tree; those whose cause is not there are at the top. */
function linesOf(spans: readonly SpanRecord[], isWide: boolean): readonly Line[] {
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const children = Map.groupBy(
    spans.toSorted((a, b) => a.start - b.start || b.end - a.end),
    ({ parentSpanId }) => (parentSpanId !== undefined && known.has(parentSpanId) ? parentSpanId : ""),
  );
  const isPart = ({ name, parentSpanId }: SpanRecord): boolean =>
    !isWide && folded.has(name) && known.has(parentSpanId ?? "");
  const walk = (parentId: string, depth: number): readonly Line[] =>
    (children.get(parentId) ?? []).flatMap((span) => {
      if (isPart(span)) return [];
      const parts = (children.get(span.spanId) ?? []).filter(isPart);
      const cause = known.get(span.parentSpanId ?? "");
      const gap = cause === undefined ? 0 : span.start - cause.end;
      return [{ span, depth, parts, gap: gap < leastGapMs ? 0 : gap }, ...walk(span.spanId, depth + 1)];
    });
  return walk("", 0);
}

const barWidth = 24;
/** Where in the trace a span is: dots before it, and a bar of at least one character. */
function bar({ start, end }: Pick<SpanRecord, "start" | "end">, from: number, total: number): string {
  const at = (time: number): number => Math.min(barWidth, Math.max(0, ((time - from) / total) * barWidth));
  const left = Math.min(barWidth - 1, Math.floor(at(start)));
  const length = Math.max(1, Math.round(at(end) - at(start)));
  return `${"·".repeat(left)}${"█".repeat(Math.min(length, barWidth - left))}`.padEnd(barWidth, "·");
}

const place = ({ component, node }: SpanRecord): string => (node === undefined ? component : `${component} ${node}`);

/** What passed between a span and its cause. */
function gapName({ component, name }: SpanRecord): string {
  if (name.startsWith("sync pod") || component === "kubelet") return "until the kubelet had something to do";
  return "until the change arrived";
}

const attributesText = ({ attributes = {} }: SpanRecord): string =>
  Object.entries(attributes)
    .map(([name, value]) => `${name}: ${value}`)
    .join(", ");

const cut = (text: string, width: number): string => (text.length > width ? `${text.slice(0, width - 1)}…` : text);

const partText = ({ name, start, end }: SpanRecord): string =>
  `${name.replace("validation and validating admission", "validation")} ${durationText(end - start)}`;

/** A line of the table. */
type Row = (start: string, took: string, drawn: string, where: string, what: string) => string;
const rowOf =
  (componentWidth: number): Row =>
  (start, took, drawn, where, what) =>
    `${start.padStart(9)}  ${took.padStart(8)}  ${drawn.padEnd(barWidth)}  ${where.padEnd(componentWidth)}  ${what}`.trimEnd();

/** The trace as text, which ends with a line break. */
export function waterfall({ object, spans, traceId, dropped }: Trace, { isWide, width }: WaterfallOptions): string {
  const from = Math.min(...spans.map(({ start }) => start));
  const to = Math.max(...spans.map(({ end }) => end));
  const total = Math.max(to - from, 0.001);
  const componentWidth = Math.max(9, ...spans.map((span) => place(span).length));
  const row = rowOf(componentWidth);
  const nameWidth = isWide ? Number.POSITIVE_INFINITY : Math.max(40, width - componentWidth - barWidth - 25);
  const text = linesOf(spans, isWide).flatMap(({ span, depth, gap, parts }) => {
    const indent = "  ".repeat(Math.min(depth, 16));
    const { start, end, error } = span;
    const failure = error === undefined ? "" : `  failed: ${error}`;
    const behind = parts.length > 0 ? `  (${parts.map(partText).join(", ")})` : "";
    const what = cut(`${indent}${span.name}${behind}${failure}`, nameWidth);
    const took = durationText(end - start);
    return [
      ...(gap > 0 ? [row("", durationText(gap), "", "", cut(`${indent}… ${gapName(span)}`, nameWidth))] : []),
      row(`+${durationText(start - from)}`, took, bar(span, from, total), place(span), what),
      ...(isWide && span.attributes ? [row("", "", "", "", `${indent}  ${attributesText(span)}`)] : []),
    ];
  });
  const name = object.namespace === undefined ? object.name : `${object.namespace}/${object.name}`;
  const heading = `Trace ${traceId} of ${object.kind} ${name}: ${spans.length} spans in ${durationText(to - from)}`;
  const header = row("START", "TOOK", "WHEN", "COMPONENT", "WHAT, UNDER ITS CAUSE");
  const left = dropped > 0 ? [`${dropped} more spans of this trace were not kept.`] : [];
  return [heading, "", header, ...text, ...left, ""].join("\n");
}
