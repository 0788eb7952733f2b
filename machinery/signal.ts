// A notification without a payload: listeners learn that something changed and look for themselves.
import { onAbort } from "./abort.ts";

/** Notifies every listener, in the order in which they subscribed. */
export interface Signal {
  notify(): void;
  /** The returned function removes the listener. */
  listen(listener: () => void): () => void;
}

/** A signal without listeners. */
export function newSignal(): Signal {
  const listeners = new Set<() => void>();
  return {
    notify() {
      for (const listener of listeners) listener();
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A wait that can be repeated without adding a listener each time. */
interface Subscription {
  /** Settles at the next notification or on abort; at once when either came since the last wait. */
  next(): Promise<void>;
  close(): void;
}

/** Subscribes to several signals at once until it is closed. */
export function subscribe(signals: readonly Pick<Signal, "listen">[], abort: AbortSignal): Subscription {
  let isPending = abort.aborted;
  let wake: (() => void) | undefined;
  const notified = (): void => {
    const waiting = wake;
    wake = undefined;
    isPending = waiting === undefined;
    waiting?.();
  };
  const removals = [...signals.map((signal) => signal.listen(notified)), onAbort(abort, notified)];
  return {
    next() {
      if (isPending || abort.aborted) {
        isPending = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    close() {
      for (const remove of removals) remove();
    },
  };
}
