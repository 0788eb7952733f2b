// Which nodes have changed, for tables that follow them: each reads on from where it stopped.
export interface NodeChanges {
  /** Where the log ends. */
  readonly position: number;
  /** Slots of nodes that changed since that position, each once; undefined when the log begins later. */
  since(position: number): Iterable<number> | undefined;
}
interface ChangeLog extends NodeChanges {
  changed(slot: number): void;
}

/** So many changes are kept; a reader that is further behind looks at all nodes. */
const limit = 4_096;

/** No changes yet. */
export function changeLog(): ChangeLog {
  let slots: number[] = [];
  let dropped = 1;
  return {
    get position() {
      return dropped + slots.length;
    },
    since: (position) => (position < dropped ? undefined : new Set(slots.slice(position - dropped))),
    changed(slot) {
      slots.push(slot);
      if (slots.length <= 2 * limit) return;
      dropped += slots.length - limit;
      slots = slots.slice(-limit);
    },
  };
}
