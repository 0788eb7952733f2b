// The members of pod groups: their pods that have not ended, with a node or without.
import { isTerminal } from "../api/core/pod/status.ts";
import type { Pod } from "../api/generated/types.ts";
import type { Key } from "../api/meta.ts";
import { podGroupKeyOf } from "../api/scheduling/podgroups.ts";

export interface GroupMembers {
  /** What the pod view shows. */
  seen(key: Key, pod: Pod | undefined): void;
  /** The members of a group by key, in the order in which they appeared. */
  of(group: Key): ReadonlyMap<Key, Pod>;
}

const nobody: ReadonlyMap<Key, Pod> = new Map();

/** No groups yet. */
export function groupMembers(): GroupMembers {
  const groups = new Map<Key, Map<Key, Pod>>();
  const groupOf = new Map<Key, Key>();
  const leave = (key: Key, group: Key): void => {
    groupOf.delete(key);
    const members = groups.get(group);
    if (members?.delete(key) && members.size === 0) groups.delete(group);
  };
  return {
    seen(key, pod) {
      const after = pod && !isTerminal(pod) ? podGroupKeyOf(pod) : undefined;
      const before = groupOf.get(key);
      if (before !== undefined && before !== after) leave(key, before);
      if (pod === undefined || after === undefined) return;
      const members = groups.get(after) ?? new Map<Key, Pod>();
      groups.set(after, members.set(key, pod));
      groupOf.set(key, after);
    },
    of: (group) => groups.get(group) ?? nobody,
  };
}
