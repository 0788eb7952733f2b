// The objects that a pod's entries refer to.

/** Each object once, in the order of the entries; or the first reason why one of them cannot be used. */
export function referenced<E, T extends object>(
  entries: readonly E[] | undefined,
  find: (entry: E) => T | string | undefined,
): readonly T[] | string {
  const found = new Set<T>();
  for (const entry of entries ?? []) {
    const object = find(entry);
    if (typeof object === "string") return object;
    if (object) found.add(object);
  }
  return [...found];
}
