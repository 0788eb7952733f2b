// An undo log: values as they were before each change, so that an earlier state can be read. Bounded by what it keeps
// alive.

/** By table and key: values at a position, of what has changed since; undefined for what was not there. */
type Undo = (table: object) => ReadonlyMap<string, unknown>;

export interface Journal {
  /** Where the journal ends. */
  readonly position: number;
  /**
   * A value of a table was replaced. A table is any object that stands for it. `bytes` is an estimate of what the value
   * before keeps alive.
   */
  record(table: object, key: string, before: unknown, bytes: number): void;
  /** Undefined when the journal begins after that position. */
  since(position: number): Undo | undefined;
}

const changeBytes = 50;
const nothing: ReadonlyMap<string, unknown> = new Map();

/** No changes yet. Above the limit, the oldest quarter is dropped. */
export function journal(maxBytes = 64 * 1024 * 1024): Journal {
  // Columns: an object for each change would be moved about by the garbage collector.
  let tables: object[] = [];
  let keys: string[] = [];
  let befores: unknown[] = [];
  let sizes: number[] = [];
  let dropped = 0;
  let bytes = 0;
  const drop = (): void => {
    const first = Math.ceil(keys.length / 4);
    for (let i = 0; i < first; i++) bytes -= sizes[i]!;
    tables = tables.slice(first);
    keys = keys.slice(first);
    befores = befores.slice(first);
    sizes = sizes.slice(first);
    dropped += first;
  };
  return {
    get position() {
      return dropped + keys.length;
    },
    record(table, key, before, size) {
      tables.push(table);
      keys.push(key);
      befores.push(before);
      sizes.push(size + changeBytes);
      bytes += size + changeBytes;
      if (bytes > maxBytes) drop();
    },
    since(position) {
      if (position < dropped) return undefined;
      const undo = new Map<object, Map<string, unknown>>();
      // The first change after the position has the value at the position.
      for (let i = position - dropped; i < keys.length; i++) {
        const values = undo.get(tables[i]!) ?? new Map<string, unknown>();
        undo.set(tables[i]!, values);
        if (!values.has(keys[i]!)) values.set(keys[i]!, befores[i]);
      }
      return (table) => undo.get(table) ?? nothing;
    },
  };
}

/** The values of a table at the position of an undo. */
export function valuesBefore<K extends string, V>(
  table: object,
  current: Iterable<readonly [K, V]>,
  undo: Undo,
): Map<K, V> {
  const values = new Map(current);
  for (const [key, before] of undo(table) as ReadonlyMap<K, V | undefined>)
    if (before === undefined) values.delete(key);
    else values.set(key, before);
  return values;
}
