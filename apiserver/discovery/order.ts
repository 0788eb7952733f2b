// The order of groups and versions in discovery: clients take the first that has a name. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";
import { priorityOf } from "./priorities.ts";

const maturity = { alpha: 0, beta: 1, "": 2 } as const;

/** Positive when `a` is the newer or the more mature of two versions: v2 before v1 before v2beta1 before v1alpha1. */
function compareVersions(a: string, b: string): number {
  const parsed = (text: string): readonly number[] | undefined => {
    const found = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(text);
    if (!found) return undefined;
    const [, major, stage = "", minor = "0"] = found;
    return [maturity[stage as keyof typeof maturity], Number(major), Number(minor)];
  };
  const [left, right] = [parsed(a), parsed(b)];
  if (!left || !right) return left ? 1 : right ? -1 : a < b ? 1 : a > b ? -1 : 0;
  return left.map((part, i) => part - right[i]!).find((difference) => difference !== 0) ?? 0;
}

/** One version of a group, and the kinds it serves. */
export interface ServedVersion {
  readonly group: string;
  readonly version: string;
  readonly kinds: readonly ResourceDefinition[];
}

/** Groups, each with its versions, both in the order clients should prefer them; kinds by name. */
export function servedGroups(
  kinds: readonly ResourceDefinition[],
): readonly (readonly [string, readonly ServedVersion[]])[] {
  const versionsOf = (group: string, all: readonly ResourceDefinition[]): readonly ServedVersion[] =>
    [...Map.groupBy(all, (r) => r.version)]
      .map(([version, own]) => ({ group, version, kinds: own.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)) }))
      .toSorted(
        (a, b) =>
          priorityOf(group, b.version).version - priorityOf(group, a.version).version ||
          compareVersions(b.version, a.version),
      );
  return [...Map.groupBy(kinds, (r) => r.group)]
    .map(([group, all]) => [group, versionsOf(group, all)] as const)
    .toSorted(([a], [b]) => priorityOf(b).group - priorityOf(a).group || (a < b ? -1 : 1));
}
