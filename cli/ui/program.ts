// Runs the interactive view: holds its state, reads the source of the page that is shown, and carries out commands.
import type { ApiObject } from "../../api/meta.ts";
import type { Clock } from "../../machinery/world.ts";
import { loadKubeconfig } from "../client/kubeconfig-files.ts";
import { display, type Resource } from "../client/resources.ts";
import type { Session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { runShell } from "./shell.ts";
import { keepReading, messageOf } from "./sources/read.ts";
import { type Reading, refPath } from "./sources/source.ts";
import { type Command, type Event, type ObjectRef, type State, topPage } from "./state.ts";
import type { Terminal } from "./terminal.ts";
import { update } from "./update.ts";

/** A cluster that the view is connected to. */
export interface Connected {
  readonly session: Session;
  readonly contextName: string;
}
export interface ProgramOptions {
  readonly flags: GlobalFlags;
  readonly clock: Clock;
  readonly terminal: Terminal;
  /** Connects to the cluster of a context. Throws CliError when the kubeconfig has none. */
  readonly connect: (context: string) => Promise<Connected>;
  /** Opens an editor for an object, and sends what changed. */
  readonly edit: (of: ObjectRef, context: string) => Promise<void>;
}

/** Hands the terminal to other work, and takes it back afterwards. */
export type Suspend = (work: () => Promise<void>) => Promise<void>;

export interface Program {
  state(): State;
  dispatch(event: Event): void;
  /** Calls the listener after each change. The returned function removes it. */
  subscribe(listener: () => void): () => void;
  /** Sets how the terminal is handed over. */
  suspendWith(suspend: Suspend): void;
  /** Reads and keeps time until the user quits. */
  run(): Promise<void>;
  /** Ends reading. */
  stop(): void;
}

/** How often ages are computed again, in milliseconds. */
const tickMs = 2_000;
/** The pause after a failed discovery, in milliseconds. */
const discoveryPauseMs = 3_000;

class InteractiveProgram implements Program {
  readonly #options: ProgramOptions;
  readonly #listeners = new Set<() => void>();
  readonly #quit = new AbortController();
  #state: State;
  #session: Session;
  #suspend: Suspend = (work) => work();
  #reading: { readonly page: number; readonly stop: AbortController } | undefined;

  constructor(state: State, session: Session, options: ProgramOptions) {
    this.#state = state;
    this.#session = session;
    this.#options = options;
  }

  state(): State {
    return this.#state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  suspendWith(suspend: Suspend): void {
    this.#suspend = suspend;
  }

  dispatch(event: Event): void {
    if (this.#quit.signal.aborted) return;
    const { state, command } = update(this.#state, event);
    const isChanged = state !== this.#state;
    this.#state = state;
    if (command !== undefined) this.#carryOut(this.#perform(command));
    this.#readTopPage();
    if (isChanged) for (const listener of this.#listeners) listener();
  }

  async run(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#quit;
    this.#readTopPage();
    this.#carryOut(this.#discover());
    while (!signal.aborted) {
      await clock.sleep(tickMs, signal).catch(() => {});
      this.dispatch({ type: "tick", now: clock.now() });
    }
  }

  stop(): void {
    this.#quit.abort();
    this.#reading?.stop.abort();
  }

  /** Stops reading the page that was shown, and reads the one that is. */
  #readTopPage(): void {
    const { id, source } = topPage(this.#state);
    if (this.#reading?.page === id || this.#quit.signal.aborted) return;
    this.#reading?.stop.abort();
    const stop = new AbortController();
    this.#reading = { page: id, stop };
    const { flags, clock } = this.#options;
    const publish: Reading["publish"] = (event) => this.dispatch({ page: id, ...event });
    void keepReading(source, { session: this.#session, flags, clock, signal: stop.signal, publish });
  }

  #notify(text: string, isError = false): void {
    this.dispatch({ type: "notice", notice: { text, isError } });
  }

  /** Reads what the prompt completes; again, when a typed command names an unknown type. */
  async #discover(typed?: string): Promise<void> {
    const session = this.#session;
    const resources = await this.#resources(session, typed !== undefined);
    const namespaces = await session.api.list<ApiObject>("/api/v1/namespaces").catch(() => []);
    const { contexts } = await loadKubeconfig(this.#options.flags);
    if (session !== this.#session) return;
    this.dispatch({
      type: "discovered",
      resources,
      namespaces: namespaces.map(({ metadata }) => metadata.name),
      contexts: contexts.map(({ name }) => name),
      ...(typed === undefined ? {} : { typed }),
    });
  }

  /** The resources of the server. Tries until it can be reached: the page shows why it cannot. */
  async #resources({ mapper }: Session, isAgain: boolean): Promise<readonly Resource[]> {
    if (isAgain) return mapper.refresh();
    const { clock } = this.#options;
    let resources = await mapper.all().catch(() => undefined);
    while (resources === undefined) {
      await clock.sleep(discoveryPauseMs, this.#quit.signal);
      resources = await mapper.refresh().catch(() => undefined);
    }
    return resources;
  }

  async #delete(of: ObjectRef, gracePeriodSeconds: number | undefined): Promise<void> {
    const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background", gracePeriodSeconds };
    await this.#session.api.request({ method: "DELETE", path: refPath(of), body });
    this.#notify(`${display(of.resource, of.name)} deleted`);
  }

  async #shell(of: ObjectRef, container: string | undefined): Promise<void> {
    const { terminal } = this.#options;
    let exitCode = 0;
    await this.#suspend(async () => {
      exitCode = await runShell(this.#session, of, container, terminal);
    });
    if (exitCode !== 0) this.#notify(`the shell ended with exit code ${exitCode}`);
  }

  async #useContext(name: string): Promise<void> {
    const { session, contextName } = await this.#options.connect(name);
    this.#session = session;
    const namespace = session.namespace;
    this.dispatch({ type: "session", context: contextName, namespace });
    await this.#discover();
  }

  async #perform(command: Command): Promise<void> {
    switch (command.type) {
      case "quit":
        return this.#quit.abort();
      case "discover":
        return this.#discover(command.text);
      case "delete":
        return this.#delete(command.of, command.gracePeriod);
      case "shell":
        return this.#shell(command.of, command.container);
      case "edit":
        return this.#suspend(() => this.#options.edit(command.of, this.#state.context));
      case "use-context":
        return this.#useContext(command.name);
    }
  }

  #carryOut(work: Promise<void>): void {
    work.catch((error: unknown) => {
      if (!this.#quit.signal.aborted) this.#notify(messageOf(error), true);
    });
  }
}

/** An interactive view in this state, connected to a cluster. */
export const program = (state: State, session: Session, options: ProgramOptions): Program =>
  new InteractiveProgram(state, session, options);
