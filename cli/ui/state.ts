// The state of the interactive view: a stack of pages, of which the last is shown. Types only, and how they begin.
import type { Instant } from "../../api/meta.ts";
import type { Resource } from "../client/resources.ts";
import type { Size } from "./cells.ts";
import { emptyList, type List, type RowsUpdate } from "./list.ts";
import { emptyText, type Text } from "./text.ts";

/** An object of the server. */
export interface ObjectRef {
  readonly resource: Resource;
  /** Undefined for cluster-scoped resources. */
  readonly namespace: string | undefined;
  readonly name: string;
}

/** The objects of a type, and which of them. */
export interface ObjectsSource {
  readonly type: "objects";
  readonly resource: Resource;
  /** Undefined for all namespaces. */
  readonly namespace: string | undefined;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Only the pods that this workload or service selects. */
  readonly podsOf?: ObjectRef;
}
/** The log of a container, by default of the first of the most useful pod. */
export interface LogSource {
  readonly type: "logs";
  readonly of: ObjectRef;
  readonly container?: string | undefined;
  readonly previous: boolean;
  readonly timestamps: boolean;
}
/** What a page shows, and where it is read from. */
export type Source =
  | ObjectsSource
  | LogSource
  | { readonly type: "containers"; readonly of: ObjectRef }
  | { readonly type: "tree"; readonly of: ObjectRef }
  | { readonly type: "describe" | "yaml"; readonly of: ObjectRef }
  | { readonly type: "contexts" }
  | { readonly type: "help" };

/** The container whose log is shown, among those of its pod. */
export interface LogSubject {
  readonly pod: string;
  readonly container: string;
  readonly containers: readonly string[];
}

export interface Page {
  /** Changes whenever the source must be read from the beginning. */
  readonly id: number;
  readonly source: Source;
  readonly status: "loading" | "live" | "ended";
  /** Why the source cannot be read at present. */
  readonly error?: string | undefined;
  readonly content: List | Text;
  readonly log?: LogSubject;
}

/** The line in which a command or a filter is typed. */
export interface Prompt {
  readonly kind: "command" | "filter";
  readonly text: string;
  /** Which of the completions is offered. */
  readonly choice: number;
}

/** What the program does for the user beside showing pages. */
export type Command =
  | { readonly type: "delete"; readonly of: ObjectRef; readonly gracePeriod?: number }
  | { readonly type: "shell"; readonly of: ObjectRef; readonly container: string | undefined }
  | { readonly type: "edit"; readonly of: ObjectRef }
  | { readonly type: "use-context"; readonly name: string }
  /** Reads again which resources are served, because this command names an unknown one. */
  | { readonly type: "discover"; readonly text: string }
  | { readonly type: "quit" };

/** A command that must be confirmed. */
export interface Question {
  readonly text: string;
  readonly command: Command;
}

export interface Notice {
  readonly text: string;
  readonly isError: boolean;
}

export interface State {
  readonly size: Size;
  readonly now: Instant;
  /** The name of the kubeconfig's context; empty if it has none. */
  readonly context: string;
  /** Where new pages look; undefined for all namespaces. */
  readonly namespace: string | undefined;
  /** Whether keys that change objects or open shells are refused. */
  readonly isReadOnly: boolean;
  readonly resources: readonly Resource[];
  readonly namespaces: readonly string[];
  readonly contexts: readonly string[];
  /** The last page is shown; there is at least one. */
  readonly pages: readonly Page[];
  readonly nextId: number;
  readonly prompt?: Prompt | undefined;
  readonly question?: Question | undefined;
  /** Shown until the next key. */
  readonly notice?: Notice | undefined;
}

/** What happens to the state: keys, time, and what sources read. */
export type Event =
  | { readonly type: "key"; readonly key: string }
  | { readonly type: "paste"; readonly text: string }
  | { readonly type: "resize"; readonly size: Size }
  | { readonly type: "tick"; readonly now: Instant }
  | { readonly type: "notice"; readonly notice: Notice }
  /** Another cluster is shown. */
  | { readonly type: "session"; readonly context: string; readonly namespace: string | undefined }
  | {
      readonly type: "discovered";
      readonly resources: readonly Resource[];
      readonly namespaces: readonly string[];
      readonly contexts: readonly string[];
      /** The command that named an unknown resource. */
      readonly typed?: string;
    }
  | PageEvent;

/** What a source has read; ignored when its page is gone. */
export type PageEvent = { readonly page: number } & (
  | { readonly type: "rows"; readonly update: RowsUpdate }
  | { readonly type: "lines"; readonly lines: readonly string[]; readonly replaces: boolean }
  | { readonly type: "log"; readonly log: LogSubject }
  | { readonly type: "failed"; readonly message: string }
  | { readonly type: "ended" }
);

/** The next state, and what is to be done. */
export interface Step {
  readonly state: State;
  readonly command?: Command | undefined;
}

/** Pods, which are shown before the server's resources are known. */
export const podResource: Resource = {
  group: "",
  version: "v1",
  plural: "pods",
  singular: "pod",
  kind: "Pod",
  namespaced: true,
  shortNames: ["po"],
  categories: [],
  verbs: [],
  subresources: [],
};

const isText = ({ type }: Source): boolean => ["describe", "yaml", "logs", "help"].includes(type);

/** A page that has read nothing yet. */
export const newPage = (id: number, source: Source): Page => ({
  id,
  source,
  status: "loading",
  content: isText(source) ? emptyText(source.type === "logs") : emptyList(source.type === "objects"),
});

/** The state in which the program begins. */
export const initialState = (
  source: ObjectsSource,
  start: Pick<State, "size" | "now" | "context" | "namespace" | "isReadOnly">,
): State => ({ ...start, resources: [], namespaces: [], contexts: [], pages: [newPage(1, source)], nextId: 2 });

/** The page that is shown. */
export const topPage = ({ pages }: State): Page => pages.at(-1)!;
