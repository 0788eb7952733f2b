// What the screen shows of a state: its lines, of which each has as many cells as the terminal. Pure.
import { fitted, printable, type Size, sliceCells, widthOf } from "./cells.ts";
import { hintsFor } from "./keys.ts";
import { bodySize } from "./pages.ts";
import { completions, offered } from "./prompt.ts";
import { type Page, type Source, type State, topPage } from "./state.ts";
import { line, type Line, type Span } from "./style.ts";
import { emptyText } from "./text.ts";
import { listLines } from "./view-list.ts";
import { textLines } from "./view-text.ts";

const titled = (text: string): string => (text === "yaml" ? "YAML" : `${text[0]?.toUpperCase()}${text.slice(1)}`);

/** What a page shows, as the title of the screen. */
export function titleOf({ source, log }: Page): string {
  const of = "of" in source ? source.of : undefined;
  const object = of && `${of.resource.singular || of.resource.kind.toLowerCase()}/${of.name}`;
  switch (source.type) {
    case "objects": {
      const { resource, namespace, podsOf, labelSelector, fieldSelector } = source;
      const scope = resource.namespaced ? ` ${namespace ?? "all"}` : "";
      const parent = podsOf && `of ${podsOf.resource.singular}/${podsOf.name}`;
      const selection = [parent, labelSelector, fieldSelector].filter(Boolean).map((text) => ` ${text}`);
      return `${titled(resource.plural)}${scope}${selection.join("")}`;
    }
    case "logs": {
      const index = log ? ` ${log.containers.indexOf(log.container) + 1}/${log.containers.length}` : "";
      const which = log ? `pod/${log.pod} ${log.container}${log.containers.length > 1 ? index : ""}` : object;
      return `Logs ${which}${source.previous ? " (previous)" : ""}`;
    }
    case "contexts":
    case "help":
      return titled(source.type);
    default:
      return `${titled(source.type)} ${object}`;
  }
}

/** How many rows or lines there are, and which filter they passed. */
function countOf({ content }: Page): string {
  if (content.kind === "text")
    return content.search === "" ? "" : ` </${content.search}>${content.isLog ? `[${content.shown.length}]` : ""}`;
  const { shown, rows, filter, sort } = content;
  const count = shown.length === rows.size ? `[${rows.size}]` : `[${shown.length}/${rows.size}]`;
  const order = sort === undefined ? "" : ` ${sort.column}${sort.isDescending ? "↓" : "↑"}`;
  return `${count}${filter === "" ? "" : ` </${filter}>`}${order}`;
}

const statusOf = ({ source, status, error, content }: Page): string => {
  if (error !== undefined) return "trying again";
  if (source.type === "help") return "";
  if (status !== "live") return status === "ended" ? "ended" : "loading";
  return content.kind === "text" && content.isLog ? (content.isFollowing ? "following" : "paused") : "live";
};

function titleLine(state: State): Line {
  const { size, context } = state;
  const page = topPage(state);
  const { columns } = size;
  const title = ` ${titleOf(page)} ${countOf(page)}`;
  const status = statusOf(page);
  const right = `${context}${context === "" || status === "" ? "" : " "}${status} `;
  const space = columns - widthOf(right) - 1;
  // The name of the context goes first where there is little space.
  const shownRight = space >= widthOf(title) ? right : `${status} `;
  const left = fitted(title, Math.max(1, columns - widthOf(shownRight)));
  return line(columns, [{ text: left + shownRight, style: { inverse: true, bold: true } }]);
}

function promptLine(state: State): Line {
  const prompt = state.prompt!;
  const offer = offered(state, prompt);
  const rest = offer?.slice(prompt.text.length) ?? "";
  const others = prompt.kind === "filter" ? [] : completions(state, prompt.text).filter((name) => name !== offer);
  const typed = `${prompt.kind === "command" ? ":" : "/"}${prompt.text}`;
  // The end of what is typed stays in view.
  const shown = sliceCells(typed, Math.max(0, widthOf(typed) - state.size.columns + 1), state.size.columns);
  const [first = " "] = rest;
  return line(state.size.columns, [
    { text: shown, style: { bold: true } },
    { text: first, style: { inverse: true } },
    { text: rest.slice(first.length), style: { dim: true } },
    { text: others.length > 0 ? `   ${others.slice(0, 8).join("  ")}` : "", style: { dim: true } },
  ]);
}

function hintsLine(state: State): Line {
  const spans = hintsFor(state).flatMap(({ keys: [key = ""], hint = "" }): readonly Span[] => [
    { text: ` ${key}`, style: { color: "cyan" } },
    { text: ` ${hint}`, style: { dim: true } },
  ]);
  return line(state.size.columns, spans);
}

const isEmpty = ({ content }: Page): boolean => content.shown.length === 0;

/** The last line: a question, the prompt, a notice, an error, or the keys. */
function lastLine(state: State): Line {
  const { question, prompt, notice, size } = state;
  const page = topPage(state);
  if (question)
    return line(size.columns, [{ text: ` ${question.text} y/N `, style: { color: "yellow", inverse: true } }]);
  if (prompt) return promptLine(state);
  // Where there is nothing else to show, errors are shown in full.
  const text = notice?.text ?? (isEmpty(page) ? undefined : page.error);
  if (text === undefined) return hintsLine(state);
  const isError = notice?.isError ?? true;
  return line(size.columns, [{ text: ` ${printable(text)}`, style: { color: isError ? "red" : "green" } }]);
}

/** What is shown instead of rows or lines while there are none. */
function placeholder({ status, content, source }: Page): string {
  if (status === "loading") return "loading…";
  if ((content.kind === "list" ? content.rows.size : content.lines.length) > 0) return "nothing matches the filter";
  const texts: Partial<Record<Source["type"], string>> = { logs: "no lines yet", objects: "no objects" };
  return texts[source.type] ?? "";
}

function emptyLines(page: Page, size: Size): readonly Line[] {
  if (!isEmpty(page)) return [];
  if (page.error === undefined) return [line(size.columns, [{ text: ` ${placeholder(page)}`, style: { dim: true } }])];
  const error = { ...emptyText(false), shown: [printable(page.error)], wraps: true };
  return textLines(error, size, { color: "red" });
}

function bodyLines(state: State): readonly Line[] {
  const page = topPage(state);
  const { content } = page;
  const size = bodySize(state);
  const lines = content.kind === "list" ? listLines(content, size, state.now) : textLines(content, size);
  return [...lines, ...emptyLines(page, size)];
}

/** All lines of the screen. */
export function view(state: State): readonly Line[] {
  const { columns, rows } = state.size;
  const body = bodyLines(state).slice(0, Math.max(0, rows - 2));
  const blank = Array.from({ length: Math.max(0, rows - 2 - body.length) }, () => line(columns, []));
  return [titleLine(state), ...body, ...blank, lastLine(state)].slice(-rows);
}
