// Shows on a terminal what a command waits for, once it has waited for a second. Standard output is for results.
import type { Clock } from "../../machinery/world.ts";

/** Where it is shown. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}
/** Runs work, and shows the text while it takes longer than a second. */
export type WhileShowing = <T>(text: string, work: () => Promise<T>) => Promise<T>;

/** Of work within other work, the outer is shown. Shows nothing when the stream is no terminal. */
export function activityOn(stream: Terminal, clock: Clock): WhileShowing {
  if (!stream.isTTY) return (_, work) => work();
  let isBusy = false;
  const show = async (text: string, ended: AbortSignal): Promise<void> => {
    const startedAt = clock.now();
    for (;;) {
      await clock.sleep(1000, ended);
      const line = `${text} ... ${Math.round((clock.now() - startedAt) / 1000)} s`;
      stream.write(`\r\x1b[2K${line.slice(0, (stream.columns ?? 80) - 1)}`);
    }
  };
  return async (text, work) => {
    if (isBusy) return work();
    isBusy = true;
    const startedAt = clock.now();
    const ended = new AbortController();
    show(text, ended.signal).catch(() => {});
    try {
      return await work();
    } finally {
      isBusy = false;
      ended.abort();
      if (clock.now() - startedAt >= 1000) stream.write("\r\x1b[2K");
    }
  };
}
