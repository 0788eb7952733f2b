// A question that many ask at once is put once, and yet nobody is told less than was true when he asked.

/**
 * Whoever asks while an answer is on its way shares the next one with all who ask meanwhile: the one on its way may
 * have been found before he asked. So a thousand readers cost two questions, however long an answer takes.
 */
export function coalesce<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const put = (): Promise<T> => {
    const answer = ask().finally(() => {
      if (asked === answer) asked = undefined;
    });
    asked = answer;
    return answer;
  };
  const afterwards = (): Promise<T> => {
    next = undefined;
    return put();
  };
  return () => {
    if (!asked) return put();
    next ??= asked.then(afterwards, afterwards);
    return next;
  };
}
