// Waiting for "something happened" without leaving a listener behind, and without paying for one at every wait.
import { onAbort } from "../../machinery/abort.ts";

/** Everybody who listens hears every ring. */
export interface Signal {
  notify(): void;
  /** The returned function stops listening. */
  hear(listener: () => void): () => void;
}

/** A bell nobody hears yet. */
export function newSignal(): Signal {
  const listeners = new Set<() => void>();
  return {
    notify() {
      for (const listener of listeners) listener();
    },
    hear(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Somebody who listens for as long as a watch lives. */
export interface Subscription {
  /** Settles at the next ring, or when the signal is aborted; at once when it has rung since the last wait. */
  rung(): Promise<void>;
  close(): void;
}

/** Listens to all of the signals until it is closed. */
export function subscribe(signals: readonly Signal[], signal: AbortSignal): Subscription {
  let hasRung = signal.aborted;
  let wake: (() => void) | undefined;
  const hear = (): void => {
    const waiting = wake;
    wake = undefined;
    hasRung = waiting === undefined;
    waiting?.();
  };
  const undo = [...signals.map((one) => one.hear(hear)), onAbort(signal, hear)];
  return {
    rung() {
      if (hasRung || signal.aborted) {
        hasRung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    close() {
      for (const step of undo) step();
    },
  };
}
