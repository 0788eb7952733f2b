// Runs actions on the same volume one after the other: clients repeat a call before the first has ended.

export type Serial = <T>(key: string, action: () => Promise<T>) => Promise<T>;

export function serial(): Serial {
  const last = new Map<string, Promise<unknown>>();
  return (key, action) => {
    const before = last.get(key) ?? Promise.resolve();
    const run = before.then(action, action);
    last.set(key, run);
    const forget = (): void => {
      if (last.get(key) === run) last.delete(key);
    };
    run.then(forget, forget);
    return run;
  };
}
