// The line in which commands and filters are typed: editing, completion, and what a command means. Pure.
import { isNamed, isPreferred, type Resource } from "../client/resources.ts";
import { similar } from "../program/suggestions.ts";
import { bodySize, opened, replaced, withList, withText } from "./pages.ts";
import { withFilter } from "./list.ts";
import { type Prompt, type State, type Step, topPage } from "./state.ts";
import { searched } from "./text.ts";

/** Commands that are no types of objects. */
const words: readonly string[] = ["ctx", "help", "ns", "quit"];
const aliases: Readonly<Record<string, string>> = { context: "ctx", contexts: "ctx", q: "quit", "?": "help" };

const names = (resources: readonly Resource[]): readonly string[] => {
  const preferred = resources.filter((r) => isPreferred(r, resources) && r.verbs.includes("list"));
  return [...new Set([...words, ...preferred.flatMap((r) => [r.plural, ...r.shortNames])])];
};

/** The words that can complete a command, the shortest first: a type, then its namespace or context. */
export function completions({ resources, namespaces, contexts }: State, text: string): readonly string[] {
  const [first = "", second] = text.split(" ");
  const [typed, all] =
    second === undefined ? [first, names(resources)] : [second, aliasOf(first) === "ctx" ? contexts : namespaces];
  const matching = all.filter((name) => name.startsWith(typed) && name !== typed);
  const stem = second === undefined ? "" : `${first} `;
  return typed === "" && second === undefined ? [] : matching.toSorted().map((name) => stem + name);
}

const aliasOf = (word: string): string => (Object.hasOwn(aliases, word) ? aliases[word]! : word);

/** The completion that is offered. */
export function offered(state: State, { kind, text, choice }: Prompt): string | undefined {
  if (kind === "filter") return undefined;
  const all = completions(state, text);
  return all.length === 0 ? undefined : all[((choice % all.length) + all.length) % all.length];
}

/** A text as editing keys change it; undefined for other keys. */
function edited(text: string, key: string): string | undefined {
  if (key === "backspace") return [...text].slice(0, -1).join("");
  if (key === "ctrl-u") return "";
  if (key === "ctrl-w") return text.replace(/\S*\s*$/, "");
  if (key === "space") return `${text} `;
  return [...key].length === 1 ? text + key : undefined;
}

const isLabelFilter = (text: string): boolean => text.startsWith("-l");

/** Applies a filter while it is typed. */
function filtered(state: State, text: string): State {
  if (topPage(state).content.kind === "text")
    return withText(state, (content) => searched(content, text, bodySize(state)));
  return isLabelFilter(text) ? state : withList(state, (list) => withFilter(list, text));
}

const withPrompt = (state: State, prompt: Prompt | undefined): State => ({ ...state, prompt });

/** The state with this text in the prompt. */
function typed(state: State, prompt: Prompt, text: string): State {
  const next = withPrompt(state, { ...prompt, text, choice: 0 });
  return prompt.kind === "filter" ? filtered(next, text) : next;
}

/** Opens the prompt for a command, or for the filter of the page. */
export function withOpenPrompt(state: State, kind: Prompt["kind"]): State {
  const { content } = topPage(state);
  const text = kind === "command" ? "" : content.kind === "list" ? content.filter : content.search;
  return withPrompt(state, { kind, text, choice: 0 });
}

/** Labels select on the server, in a page of their own. */
function byLabels(state: State, text: string): State {
  const { source } = topPage(state);
  const labelSelector = text.slice(2).trim();
  if (source.type !== "objects")
    return { ...state, notice: { text: "only lists of objects can be selected by labels", isError: true } };
  const { labelSelector: _, ...rest } = source;
  return opened(state, labelSelector === "" ? rest : { ...rest, labelSelector });
}

/** Text that was pasted, as one line. */
export const pasted = (state: State, text: string): State =>
  state.prompt ? typed(state, state.prompt, state.prompt.text + text.replaceAll(/\s+/g, " ").trim()) : state;

/** What a key does while the prompt is open. */
export function promptKey(state: State, prompt: Prompt, key: string): Step {
  const offer = offered(state, prompt);
  if (key === "esc") return { state: withPrompt(prompt.kind === "filter" ? filtered(state, "") : state, undefined) };
  if (key === "down" || key === "up")
    return { state: withPrompt(state, { ...prompt, choice: prompt.choice + (key === "down" ? 1 : -1) }) };
  if (key === "tab" || key === "right")
    return { state: offer === undefined ? state : withPrompt(state, { ...prompt, text: offer, choice: 0 }) };
  if (key === "enter") {
    const closed = withPrompt(state, undefined);
    if (prompt.kind === "command") return execute(closed, prompt.text.trim(), offer);
    return { state: isLabelFilter(prompt.text) ? byLabels(closed, prompt.text) : closed };
  }
  // An empty line that is deleted further closes.
  if (key === "backspace" && prompt.text === "") return { state: withPrompt(state, undefined) };
  const text = edited(prompt.text, key);
  return { state: text === undefined ? state : typed(state, prompt, text) };
}

const failed = (state: State, text: string): Step => ({ state: { ...state, notice: { text, isError: true } } });

function objects(state: State, resource: Resource, namespace: string | undefined): State {
  const chosen = namespace === undefined ? state : { ...state, namespace: namespace === "all" ? undefined : namespace };
  return opened(chosen, {
    type: "objects",
    resource,
    namespace: resource.namespaced ? chosen.namespace : undefined,
  });
}

/** Shows a namespace, or all: the same type of objects there. Other pages stay; new ones look there. */
export function inNamespace(state: State, namespace: string | undefined): State {
  const { source } = topPage(state);
  const chosen = { ...state, namespace };
  if (source.type !== "objects" || !source.resource.namespaced)
    return { ...chosen, notice: { text: `namespace: ${namespace ?? "all"}`, isError: false } };
  const { resource, labelSelector } = source;
  return replaced(chosen, { type: "objects", resource, namespace, ...(labelSelector ? { labelSelector } : {}) });
}

/**
 * Carries out a typed command. An unknown type is looked up once more in the server's discovery; `isDiscovered` says
 * that this has been done.
 */
export function execute(state: State, text: string, offer: string | undefined, isDiscovered = false): Step {
  const [word = "", argument] = text.split(/\s+/);
  const command = aliasOf(word);
  if (word === "") return { state };
  if (command === "quit" || command === "q!") return { state, command: { type: "quit" } };
  if (command === "help") return { state: opened(state, { type: "help" }) };
  if (command === "ctx")
    return argument === undefined
      ? { state: opened(state, { type: "contexts" }) }
      : { state, command: { type: "use-context", name: argument } };
  if (command === "ns" && argument !== undefined)
    return { state: inNamespace(state, argument === "all" ? undefined : argument) };
  const resource = state.resources.find((r) => isNamed(r, command) && r.verbs.includes("list"));
  if (resource) return { state: objects(state, resource, argument) };
  // A unique completion is what was meant.
  if (offer !== undefined && argument === undefined && completions(state, text).length === 1)
    return execute(state, offer, undefined, isDiscovered);
  if (!isDiscovered) return { state, command: { type: "discover", text } };
  const near = similar(word, names(state.resources)).slice(0, 3);
  return failed(
    state,
    `the server doesn't have a resource type ${JSON.stringify(word)}${near.length > 0 ? `; did you mean ${near.join(", ")}?` : ""}`,
  );
}

/** The state without the filter of its page; undefined when there is none. */
export function withoutFilter(state: State): State | undefined {
  const { content } = topPage(state);
  return (content.kind === "list" ? content.filter : content.search) === "" ? undefined : filtered(state, "");
}
