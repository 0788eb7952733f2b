// What everybody shares nobody may edit: objects are frozen where they enter a process.

/**
 * Freezes a JSON value all the way down, in place. Lists are left open, as their types forbid to edit them anyway: one
 * that is frozen makes writing all it stands in as JSON several times as dear.
 */
export function frozen<T>(value: T): T {
  if (Array.isArray(value)) for (const item of value) frozen(item);
  else if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
