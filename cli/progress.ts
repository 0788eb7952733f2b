// Says what is being done and how long it took: one line a step, alive on a terminal, plain in a log.
import pc from "picocolors";
import type { Clock } from "../machinery/world.ts";

/** How long work tells its user that it is alive. */
export interface Progress {
  /** Runs one step, shows it, and notes how long it took. `note` tells what it is busy with. */
  step<T>(title: string, work: (note: (text: string) => void) => Promise<T>): Promise<T>;
  /** One line that stays. */
  say(text: string): void;
}

/** What everything that takes a while is handed. */
export interface Io {
  readonly clock: Clock;
  readonly progress: Progress;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Progress written to a stream, usually standard error, so that standard output stays free for results. */
export const progressOn = (stream: NodeJS.WriteStream, clock: Clock): Progress => {
  const live = stream.isTTY === true;
  const clear = live ? "\r\x1b[2K" : "";
  let shownAt = clock.now();
  // A log keeps every line, so there it is enough to hear every few seconds that work goes on.
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
