// Freezes shared objects where they enter a process, so that no reader can modify them for the others.

/**
 * Freezes a JSON value deeply, in place. Arrays are not frozen: their types are read-only anyway, and V8 serializes a
 * value with frozen arrays several times slower.
 */
export function frozen<T>(value: T): T {
  if (Array.isArray(value)) for (const item of value) frozen(item);
  else if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
