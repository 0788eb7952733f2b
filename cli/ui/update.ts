// The next state after an event: keys, time, and what sources read. Pure.
import { bindingOf, helpLines } from "./keys.ts";
import { withRows } from "./list.ts";
import { settle } from "./pages.ts";
import { execute, pasted, promptKey } from "./prompt.ts";
import {
  type Event,
  newPage,
  type Page,
  type PageEvent,
  podResource,
  type State,
  type Step,
  topPage,
} from "./state.ts";
import { withLines } from "./text.ts";

/** What a key does: to a question, to the prompt, or to the page. */
function key(state: State, name: string): Step {
  if (name === "ctrl-c") return { state, command: { type: "quit" } };
  const { question, prompt } = state;
  const quiet: State = { ...state, notice: undefined, question: undefined };
  if (question !== undefined)
    return { state: quiet, command: name === "y" || name === "Y" ? question.command : undefined };
  if (prompt !== undefined) return promptKey(quiet, prompt, name);
  const binding = bindingOf(quiet, name);
  if (binding === undefined) return { state: quiet };
  if (binding.changes && state.isReadOnly)
    return { state: { ...quiet, notice: { text: "started with --readonly: nothing can be changed", isError: true } } };
  return binding.step(quiet);
}

/** A page after what its source has read. */
function withEvent(page: Page, event: PageEvent): Page {
  const { content } = page;
  const live: Page = { ...page, status: "live", error: undefined };
  switch (event.type) {
    case "rows":
      return content.kind === "list" ? { ...live, content: withRows(content, event.update) } : page;
    case "lines":
      return content.kind === "text" ? { ...live, content: withLines(content, event.lines, event.replaces) } : page;
    case "log":
      return { ...page, log: event.log };
    case "failed":
      return { ...page, status: "loading", error: event.message };
    case "ended":
      return { ...page, status: "ended" };
  }
}

const pageEvent = (state: State, event: PageEvent): State => ({
  ...state,
  pages: state.pages.map((page) => (page.id === event.page ? withEvent(page, event) : page)),
});

/** Help pages have nothing to read. */
function withHelp(state: State): State {
  const page = topPage(state);
  if (page.source.type !== "help" || page.status !== "loading") return state;
  return pageEvent(state, { page: page.id, type: "lines", lines: helpLines(), replaces: true });
}

function step(state: State, event: Event): Step {
  switch (event.type) {
    case "key":
      return key(state, event.key);
    case "paste":
      return { state: pasted(state, event.text) };
    case "resize":
      return { state: { ...state, size: event.size } };
    case "tick":
      return { state: { ...state, now: event.now } };
    case "notice":
      return { state: { ...state, notice: event.notice } };
    case "session": {
      const { context, namespace } = event;
      const first = newPage(state.nextId, { type: "objects", resource: podResource, namespace });
      const nothing = { resources: [], namespaces: [] };
      return { state: { ...state, ...nothing, context, namespace, pages: [first], nextId: state.nextId + 1 } };
    }
    case "discovered": {
      const { type: _, typed, ...found } = event;
      const next = { ...state, ...found };
      return typed === undefined ? { state: next } : execute(next, typed, undefined, true);
    }
    default:
      return { state: pageEvent(state, event) };
  }
}

/** The state after an event, and what the program must do for it. */
export function update(state: State, event: Event): Step {
  const next = step(state, event);
  return { ...next, state: settle(withHelp(next.state)) };
}
