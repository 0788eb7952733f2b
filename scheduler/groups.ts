// A set whose members fall into groups, so that what concerns no member of a group is found out once for all of them.

export interface GroupedSet<T> {
  readonly size: number;
  has(member: T): boolean;
  add(member: T): void;
  delete(member: T): void;
  all(): readonly T[];
  /** One member of each group. */
  samples(): readonly T[];
  /** The members of the same group. */
  likeOf(member: T): readonly T[];
}

/** An empty set. The group of a member is computed when it is added. */
export function groupedSet<T>(groupOf: (member: T) => string): GroupedSet<T> {
  const names = new Map<T, string>();
  const groups = new Map<string, Set<T>>();
  const remove = (member: T): void => {
    const name = names.get(member);
    if (name === undefined) return;
    names.delete(member);
    const group = groups.get(name)!;
    group.delete(member);
    if (group.size === 0) groups.delete(name);
  };
  return {
    get size() {
      return names.size;
    },
    has: (member) => names.has(member),
    add(member) {
      remove(member);
      const name = groupOf(member);
      names.set(member, name);
      groups.set(name, (groups.get(name) ?? new Set()).add(member));
    },
    delete: remove,
    all: () => [...names.keys()],
    samples: () => [...groups.values()].map((group) => group.values().next().value!),
    likeOf: (member) => [...(groups.get(names.get(member) ?? "") ?? [])],
  };
}
