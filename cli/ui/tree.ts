// The tree of owners: from ownerReferences to rows with branches. Pure.
import type { Instant } from "../../api/meta.ts";
import type { Column, Row } from "./list.ts";
import type { ObjectRef } from "./state.ts";

/** An object and who owns it. */
export interface OwnedObject {
  readonly ref: ObjectRef;
  readonly uid: string;
  /** The uids of its owners. */
  readonly owners: readonly string[];
  readonly ready: string;
  readonly status: string;
  readonly created: Instant | undefined;
}

export const treeColumns: readonly Column[] = ["NAME", "READY", "STATUS", "AGE"].map((title) => ({ title }));

const byKindAndName = (a: OwnedObject, b: OwnedObject): number => {
  const text = ({ ref }: OwnedObject): string => `${ref.resource.kind}/${ref.name}`;
  return text(a) < text(b) ? -1 : 1;
};

/** The rows of an object and of all that it owns, directly or not. An object with several owners stands below each. */
export function treeRows(root: OwnedObject, objects: readonly OwnedObject[]): readonly Row[] {
  const children = new Map<string, OwnedObject[]>();
  for (const object of objects)
    for (const owner of object.owners) {
      const siblings = children.get(owner);
      if (siblings) siblings.push(object);
      else children.set(owner, [object]);
    }
  const rows: Row[] = [];
  const add = (object: OwnedObject, branch: string, indent: string, above: readonly string[]): void => {
    const { ref, uid, ready, status, created } = object;
    const label = `${branch}${ref.resource.kind}/${ref.name}`;
    const { name, namespace, resource } = ref;
    rows.push({
      id: [...above, uid].join("/"),
      name,
      namespace,
      resource,
      cells: [label, ready, status, ""],
      created,
    });
    // Owner references may form a cycle.
    const owned = (children.get(uid) ?? []).filter((child) => child.uid !== uid && !above.includes(child.uid));
    for (const [i, child] of owned.toSorted(byKindAndName).entries()) {
      const isLast = i === owned.length - 1;
      add(child, `${indent}${isLast ? "└─ " : "├─ "}`, `${indent}${isLast ? "   " : "│  "}`, [...above, uid]);
    }
  };
  add(root, "", "", []);
  return rows;
}
