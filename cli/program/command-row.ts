// What is known of a command before its file is loaded.
import type { Command } from "commander";

/** A command, before its file is loaded. */
export interface CommandRow {
  /** The heading of the help under which it stands. */
  readonly group: string;
  /** One line for the help; empty for commands that are not listed. */
  readonly summary: string;
  /** Whether it accepts the flags about a Kubernetes cluster. */
  readonly global: boolean;
  readonly load: () => Promise<{ readonly register: (program: Command) => void }>;
}
export type CommandTable = Readonly<Record<string, CommandRow>>;
