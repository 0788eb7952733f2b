// Starts the interactive view: connects, and shows the first page.
import type { Clock } from "../../machinery/world.ts";
import { select } from "../client/kubeconfig.ts";
import { loadKubeconfig } from "../client/kubeconfig-files.ts";
import { session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { type Connected, type ProgramOptions, program } from "./program.ts";
import { initialState, type ObjectsSource, podResource } from "./state.ts";
import type { Terminal } from "./terminal.ts";

/** How the view is started. */
export interface UiOptions {
  readonly flags: GlobalFlags;
  readonly clock: Clock;
  readonly terminal: Terminal;
  /** The type of objects that are shown first, by default pods. */
  readonly type: string | undefined;
  readonly allNamespaces: boolean;
  readonly labelSelector: string | undefined;
  readonly isReadOnly: boolean;
  readonly hasColors: boolean;
  readonly edit: ProgramOptions["edit"];
}

/** Connects to a context. Warnings of the server and requests are not printed: they would cover the screen. */
async function connect(flags: GlobalFlags, context: string): Promise<Connected> {
  const { v: _, warningsAsErrors: _w, ...rest } = flags;
  const chosen: GlobalFlags = context === "" ? rest : { ...rest, context };
  const { contextName = "" } = select(await loadKubeconfig(chosen), chosen);
  return { session: await session(chosen, () => {}), contextName };
}

/** Runs until the user quits. Throws CliError when no cluster is configured, or the type is not served. */
export async function ui(options: UiOptions): Promise<void> {
  const { flags, clock, terminal, type, labelSelector, isReadOnly } = options;
  const { session: first, contextName } = await connect(flags, flags.context ?? "");
  const resource = type === undefined ? podResource : await first.mapper.named(type);
  const namespace = options.allNamespaces ? undefined : first.namespace;
  const source: ObjectsSource = {
    type: "objects",
    resource,
    namespace: resource.namespaced ? namespace : undefined,
    ...(labelSelector ? { labelSelector } : {}),
  };
  const { columns, rows } = terminal.stdout;
  const start = { size: { columns, rows }, now: clock.now(), context: contextName, namespace, isReadOnly };
  const { show } = await import("./screen.ts");
  const running = program(initialState(source, start), first, {
    flags,
    clock,
    terminal,
    edit: options.edit,
    connect: (context) => connect(flags, context),
  });
  await show(running, terminal, options.hasColors);
}
