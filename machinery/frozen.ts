// What everybody shares nobody may edit: objects are frozen where they enter a process.

/** Freezes a JSON value all the way down, in place. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
