// Coalesces concurrent reads: no caller gets a result older than its call.

/**
 * Callers that arrive while a read is in flight share the next one, which starts after they called; the one in flight
 * may return an earlier state. A thousand concurrent readers cost two reads, however long a read takes.
 */
export function coalesce<T>(read: () => Promise<T>): () => Promise<T> {
  let current: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const start = (): Promise<T> => {
    const started = read().finally(() => {
      if (current === started) current = undefined;
    });
    current = started;
    return started;
  };
  const startNext = (): Promise<T> => {
    next = undefined;
    return start();
  };
  return () => {
    if (!current) return start();
    next ??= current.then(startNext, startNext);
    return next;
  };
}
