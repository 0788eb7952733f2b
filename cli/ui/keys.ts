// What each key does on each page: one table, from which the help and the hints are made. Pure.
import { withCursor, selectedRow, sortedBy } from "./list.ts";
import {
  bodySize,
  closed,
  kindOf,
  opened,
  partsOf,
  reloaded,
  replaced,
  selectedContainer,
  selectedObject,
  withList,
  withPods,
  withText,
} from "./pages.ts";
import { inNamespace, withOpenPrompt, withoutFilter } from "./prompt.ts";
import { type Command, type LogSource, type ObjectRef, type Source, type State, type Step, topPage } from "./state.ts";
import { nextMatch, scrolledTo } from "./text.ts";

type PageType = Source["type"];

export interface Binding {
  readonly keys: readonly string[];
  /** In the last line of the screen; undefined for keys that only the help lists. */
  readonly hint?: string;
  readonly help: string;
  readonly pages: readonly PageType[];
  /** Whether it changes objects or runs commands in containers. */
  readonly changes?: boolean;
  /** Whether it can be used at present. */
  readonly applies?: (state: State) => boolean;
  readonly step: (state: State) => Step;
}

const lists: readonly PageType[] = ["objects", "tree", "containers", "contexts"];
const texts: readonly PageType[] = ["describe", "yaml", "logs", "help"];
const everywhere: readonly PageType[] = [...lists, ...texts];
const withObjects: readonly PageType[] = ["objects", "tree"];

const isSelected = (state: State): boolean => selectedObject(state) !== undefined;
const kindIn =
  (kinds: readonly string[]) =>
  (state: State): boolean => {
    const of = selectedObject(state);
    return of !== undefined && kinds.includes(kindOf(of.resource));
  };
const only = (state: State): Step => ({ state });

/** Opens a page about the object under the cursor. */
const about =
  (sourceOf: (of: ObjectRef, state: State) => Source) =>
  (state: State): Step => {
    const of = selectedObject(state);
    return only(of === undefined ? state : opened(state, sourceOf(of, state)));
  };

const enter = (state: State): Step => {
  const { source, content } = topPage(state);
  if (source.type === "contexts" && content.kind === "list") {
    const row = selectedRow(content);
    return row ? { state, command: { type: "use-context", name: row.name } } : { state };
  }
  if (source.type === "containers") return logs(false)(state);
  const of = selectedObject(state);
  const chosen = of && kindOf(of.resource) === "Namespace" ? { ...state, namespace: of.name } : state;
  return about((object) => partsOf(object, state.resources))(chosen);
};

const logs = (previous: boolean) =>
  about((of, state) => ({ type: "logs", of, container: selectedContainer(state), previous, timestamps: false }));

const display = ({ resource, namespace, name }: ObjectRef): string =>
  `${resource.singular || resource.kind.toLowerCase()} ${namespace === undefined ? "" : `${namespace}/`}${name}`;

const command =
  (commandOf: (of: ObjectRef, state: State) => Command) =>
  (state: State): Step => {
    const of = selectedObject(state);
    return of === undefined ? { state } : { state, command: commandOf(of, state) };
  };

const askToDelete = (state: State): Step => {
  const of = selectedObject(state);
  if (of === undefined) return { state };
  return only({ ...state, question: { text: `Delete ${display(of)}?`, command: { type: "delete", of } } });
};

/** Changes the log that is shown, which is then read from the beginning. */
const withLog =
  (change: (source: LogSource, state: State) => Partial<LogSource>) =>
  (state: State): Step => {
    const { source } = topPage(state);
    return only(source.type === "logs" ? replaced(state, { ...source, ...change(source, state) }) : state);
  };

function nextContainer(_source: LogSource, state: State): Partial<LogSource> {
  const { log } = topPage(state);
  if (log === undefined) return {};
  return { container: log.containers[(log.containers.indexOf(log.container) + 1) % log.containers.length] };
}

/** Moves the cursor of a list, or scrolls a text, by lines. */
const move =
  (linesOf: (height: number) => number) =>
  (state: State): Step => {
    const size = bodySize(state);
    const by = linesOf(size.rows);
    const moved = withList(state, (list) => withCursor(list, list.cursor + by));
    return only(withText(moved, (text) => scrolledTo(text, text.top + by, size)));
  };
const end = Number.MAX_SAFE_INTEGER;

const sideways =
  (by: number) =>
  (state: State): Step => {
    const moved = withList(state, (list) => ({
      ...list,
      left: Math.max(0, Math.min(list.left + Math.sign(by), list.columns.length - 2)),
    }));
    return only(withText(moved, (text) => ({ ...text, left: text.wraps ? 0 : Math.max(0, text.left + by) })));
  };

const sort = (key: string, column: string): Binding => ({
  keys: [key],
  help: `sort by ${column}; once more: reversed`,
  pages: ["objects"],
  step: (state) =>
    only(
      withList(state, (list) => (list.columns.some(({ title }) => title === column) ? sortedBy(list, column) : list)),
    ),
});

/** Sorts by the next column. */
const sortNext = (state: State): Step =>
  only(
    withList(state, (list) => {
      const at = list.columns.findIndex(({ title }) => title === list.sort?.column);
      const next = list.columns[(at + 1) % list.columns.length];
      return next ? sortedBy(list, next.title) : list;
    }),
  );

const match =
  (direction: 1 | -1) =>
  (state: State): Step =>
    only(withText(state, (text) => nextMatch(text, direction, bodySize(state))));

const backOrQuit = (state: State): Step =>
  state.pages.length === 1 ? { state, command: { type: "quit" } } : only(closed(state));
const back = (state: State): Step => only(withoutFilter(state) ?? closed(state));

const isPod = kindIn(["Pod"]);
const hasLogs = kindIn(["Pod", ...withPods]);
const shell = command((of, state) => ({ type: "shell", of, container: selectedContainer(state) }));

/** All keys. The first binding that applies is used. */
export const bindings: readonly Binding[] = [
  {
    keys: ["enter"],
    hint: "open",
    help: "open: the pods of a workload or node, the containers of a pod, the log of a container",
    pages: lists,
    step: enter,
  },
  {
    keys: ["d"],
    hint: "describe",
    help: "describe the object",
    pages: withObjects,
    applies: isSelected,
    step: about((of) => ({ type: "describe", of })),
  },
  {
    keys: ["y"],
    hint: "yaml",
    help: "show the object as YAML",
    pages: [...withObjects, "describe"],
    applies: isSelected,
    step: about((of) => ({ type: "yaml", of })),
  },
  {
    keys: ["l"],
    hint: "logs",
    help: "follow the log of a pod, of a container, or of the first pod of a workload",
    pages: [...withObjects, "containers"],
    applies: hasLogs,
    step: logs(false),
  },
  {
    keys: ["p"],
    hint: "previous",
    help: "the log of the container's run before this one",
    pages: [...withObjects, "containers"],
    applies: isPod,
    step: logs(true),
  },
  {
    keys: ["s"],
    hint: "shell",
    help: "run a shell in the container; its end leads back here",
    pages: [...withObjects, "containers"],
    changes: true,
    applies: isPod,
    step: shell,
  },
  {
    keys: ["t", "x"],
    hint: "tree",
    help: "the tree of the object's owners and of what it owns",
    pages: withObjects,
    applies: isSelected,
    step: about((of) => ({ type: "tree", of })),
  },
  {
    keys: ["e"],
    hint: "edit",
    help: "change the object in an editor",
    pages: [...withObjects, "describe", "yaml"],
    changes: true,
    applies: isSelected,
    step: command((of) => ({ type: "edit", of })),
  },
  {
    keys: ["ctrl-d"],
    hint: "delete",
    help: "delete the object, after a question",
    pages: withObjects,
    changes: true,
    applies: isSelected,
    step: askToDelete,
  },
  {
    keys: ["ctrl-k"],
    help: "kill the pod: delete it with one second to end, without a question",
    pages: withObjects,
    changes: true,
    applies: isPod,
    step: command((of) => ({ type: "delete", of, gracePeriod: 1 })),
  },
  {
    keys: ["p"],
    hint: "previous",
    help: "switch between the container's run before this one and the present one",
    pages: ["logs"],
    step: withLog(({ previous }) => ({ previous: !previous })),
  },
  {
    keys: ["c"],
    hint: "container",
    help: "the next container of the pod",
    pages: ["logs"],
    step: withLog(nextContainer),
  },
  {
    keys: ["t"],
    hint: "times",
    help: "show or hide the time of each line",
    pages: ["logs"],
    step: withLog(({ timestamps }) => ({ timestamps: !timestamps })),
  },
  {
    keys: ["w"],
    hint: "wrap",
    help: "wrap long lines or cut them",
    pages: texts,
    step: (state) => only(withText(state, (text) => ({ ...text, wraps: !text.wraps, left: 0 }))),
  },
  {
    keys: ["s", "f"],
    hint: "follow",
    help: "keep the end of the log in view, or stop",
    pages: ["logs"],
    step: (state) => only(withText(state, (text) => ({ ...text, isFollowing: !text.isFollowing }))),
  },
  { keys: ["n"], help: "the next match", pages: ["describe", "yaml", "help"], step: match(1) },
  { keys: ["N"], help: "the match before", pages: ["describe", "yaml", "help"], step: match(-1) },
  {
    keys: ["0"],
    hint: "all",
    help: "the objects of all namespaces",
    pages: ["objects"],
    step: (state) => only(inNamespace(state, undefined)),
  },
  sort("N", "NAME"),
  sort("A", "AGE"),
  sort("S", "STATUS"),
  sort("R", "READY"),
  sort("T", "RESTARTS"),
  sort("P", "NAMESPACE"),
  sort("O", "NODE"),
  { keys: ["o"], help: "sort by the next column", pages: ["objects"], step: sortNext },
  { keys: ["down", "j"], help: "down", pages: everywhere, step: move(() => 1) },
  { keys: ["up", "k"], help: "up", pages: everywhere, step: move(() => -1) },
  { keys: ["pagedown", "ctrl-f", "space"], help: "one page down", pages: everywhere, step: move((height) => height) },
  { keys: ["pageup", "ctrl-b"], help: "one page up", pages: everywhere, step: move((height) => -height) },
  { keys: ["home", "g"], help: "to the beginning", pages: everywhere, step: move(() => -end) },
  { keys: ["end", "G"], help: "to the end", pages: everywhere, step: move(() => end) },
  { keys: ["right"], help: "scroll to the right", pages: everywhere, step: sideways(10) },
  { keys: ["left"], help: "scroll to the left", pages: everywhere, step: sideways(-10) },
  {
    keys: ["/"],
    hint: "filter",
    help: "filter, or search: /text, /!text for all others, /-l app=web by labels",
    pages: everywhere,
    step: (state) => only(withOpenPrompt(state, "filter")),
  },
  {
    keys: [":"],
    hint: "command",
    help: "go to a type: :pods, :deploy kube-system, :ns NAME, :ctx NAME, :q; Tab completes",
    pages: everywhere,
    step: (state) => only(withOpenPrompt(state, "command")),
  },
  { keys: ["ctrl-r"], help: "read again", pages: everywhere, step: (state) => only(reloaded(state)) },
  {
    keys: ["?"],
    hint: "help",
    help: "this help",
    pages: [...lists, "describe", "yaml", "logs"],
    step: (state) => only(opened(state, { type: "help" })),
  },
  { keys: ["esc"], help: "clear the filter, or go back", pages: everywhere, step: back },
  { keys: ["q"], help: "go back; on the first page, quit", pages: everywhere, step: backOrQuit },
];

/** The binding of a key on the page that is shown. */
export const bindingOf = (state: State, key: string): Binding | undefined => {
  const { type } = topPage(state).source;
  return bindings.find((b) => b.keys.includes(key) && b.pages.includes(type) && (b.applies?.(state) ?? true));
};

/** The keys that can be used at present, for the last line of the screen. */
export const hintsFor = (state: State): readonly Binding[] => {
  const { type } = topPage(state).source;
  const usable = bindings.filter(
    (b) =>
      b.hint !== undefined &&
      b.pages.includes(type) &&
      !(b.changes && state.isReadOnly) &&
      (b.applies?.(state) ?? true),
  );
  // The help comes first, because the line may be cut.
  return usable.toSorted((a, b) => Number(b.hint === "help") - Number(a.hint === "help"));
};

/** The headings of the help; a binding stands under the first whose pages include its own. */
const headings: readonly (readonly [string, readonly PageType[]])[] = [
  ["Lists", lists],
  ["Logs", ["logs"]],
  ["Descriptions, YAML, logs, help", texts],
  ["Everywhere", everywhere],
];

const headingOf = ({ pages }: Binding): string => {
  const isMixed = pages.includes("describe") && pages.includes("objects") && pages.length < everywhere.length - 1;
  return isMixed ? "Lists" : headings.find(([, all]) => pages.every((page) => all.includes(page)))![0];
};

/** The lines of the help. */
export const helpLines = (): readonly string[] => [
  ...headings.flatMap(([heading]) => [
    heading,
    ...bindings
      .filter((binding) => headingOf(binding) === heading)
      .map(({ keys, help }) => `  ${keys.join(", ").padEnd(24)}${help}`),
    "",
  ]),
  "ctrl-c quits at any time.",
];
