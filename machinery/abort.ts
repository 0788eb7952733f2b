// Waiting on signals without keeping listeners: a long-lived signal would hold every one of them for the life of the
// process.

/** Everybody who waits on one signal, behind one event listener: to put one on and take it off is dear. */
interface Waiting {
  readonly listeners: Set<() => void>;
  readonly hear: () => void;
}
const waitingOn = new WeakMap<AbortSignal, Waiting>();

function gathered(signal: AbortSignal): Waiting {
  const known = waitingOn.get(signal);
  if (known) return known;
  const listeners = new Set<() => void>();
  const hear = (): void => {
    for (const listener of listeners) listener();
  };
  const waiting: Waiting = { listeners, hear };
  waitingOn.set(signal, waiting);
  signal.addEventListener("abort", hear, { once: true });
  return waiting;
}

/** Call `listener` when the signal aborts; the returned function takes the listener off again, and must be called. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  const { listeners, hear } = gathered(signal);
  // The same function may wait twice, and is taken off one at a time.
  const own = (): void => listener();
  listeners.add(own);
  return () => {
    if (!listeners.delete(own) || listeners.size > 0) return;
    signal.removeEventListener("abort", hear);
    waitingOn.delete(signal);
  };
}

/** A promise and its resolver, resolved at the latest when the signal aborts. */
export function wakeable(signal: AbortSignal): { readonly slept: Promise<void>; readonly wake: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const off = onAbort(signal, resolve);
  return { slept: promise.finally(off), wake: resolve };
}

/** Settles with `promise`, or rejects with the signal's reason when that comes first. */
export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = onAbort(signal, () => reject(signal.reason as Error));
    promise.then(resolve, reject).finally(off);
  });
}
