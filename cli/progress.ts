// Shows the steps of a command and how long they took: live on a terminal, as plain lines in a log.
import pc from "picocolors";
import type { Clock } from "../machinery/world.ts";

export interface Progress {
  /** Runs a step and shows its duration. `note` shows what it is doing. */
  step<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** Prints a line. */
  say(text: string): void;
}

/** The clock and progress of a long operation. */
export interface Io {
  readonly clock: Clock;
  readonly progress: Progress;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Progress on a stream, usually standard error: standard output is for results. */
export const progressOn = (stream: NodeJS.WriteStream, clock: Clock): Progress => {
  const live = stream.isTTY === true;
  const clear = live ? "\r\x1b[2K" : "";
  let shownAt = clock.now();
  // A log keeps all lines, so notes are limited to one every five seconds.
  const show = (text: string): void => {
    if (live) stream.write(`${clear}${text.slice(0, (stream.columns ?? 80) - 1)}`);
    else if (clock.now() - shownAt > 5000) {
      shownAt = clock.now();
      stream.write(`${text.slice(0, 160)}\n`);
    }
  };
  return {
    say: (text) => void stream.write(`${clear}${text}\n`),
    step: async (title, work) => {
      const began = clock.now();
      const elapsed = (): string => seconds(clock.now() - began);
      shownAt = began;
      show(`  ... ${title}`);
      try {
        const result = await work((text) => show(`  ... ${title}: ${text}`));
        stream.write(`${clear}  ${pc.green("ok")}  ${title} ${pc.dim(elapsed())}\n`);
        return result;
      } catch (error) {
        stream.write(`${clear}  ${pc.red("no")}  ${title} ${pc.dim(elapsed())}\n`);
        throw error;
      }
    },
  };
};
