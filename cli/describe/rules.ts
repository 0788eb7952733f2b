// Rules of roles as rows, as kubectl shows them: rules about the same resource and name are one.
import type { PolicyRule } from "../../api/generated/types.ts";
import { goList } from "./layout.ts";

/** A rule about one resource and at most one name, or one path and one verb. */
interface SimpleRule {
  readonly group: string;
  readonly resource: string;
  readonly path: string;
  readonly name: string;
  readonly verbs: readonly string[];
}

const orEmpty = (list: readonly string[] | undefined): readonly string[] => (list?.length ? list : [""]);

/** Takes a rule apart into one for each combination of group, resource and name. */
const ofResources = ({ apiGroups = [], resources = [], resourceNames, verbs }: PolicyRule): readonly SimpleRule[] =>
  apiGroups.flatMap((group) =>
    resources.flatMap((resource) => orEmpty(resourceNames).map((name) => ({ group, resource, path: "", name, verbs }))),
  );
const ofPaths = ({ nonResourceURLs = [], verbs }: PolicyRule): readonly SimpleRule[] =>
  nonResourceURLs.flatMap((path) => verbs.map((verb) => ({ group: "", resource: "", path, name: "", verbs: [verb] })));

/** Joins rules about the same resource. */
function joined(rules: readonly SimpleRule[]): readonly SimpleRule[] {
  const groups = Map.groupBy(rules, ({ group, resource, name }) => [group, resource, name].join("\0"));
  return [...groups.values()].map((same) => ({ ...same[0]!, verbs: [...new Set(same.flatMap(({ verbs }) => verbs))] }));
}

/** `deployments.apps/scale`: the group follows the resource, before its subresource. */
function qualified(resource: string, group: string): string {
  if (group === "") return resource;
  const [name, ...subresource] = resource.split("/");
  return [`${name}.${group}`, ...subresource].join("/");
}

/** kubectl sorts rules by their text. */
const textOf = ({ verbs, group, resource, name, path }: SimpleRule): string =>
  `Verbs:${goList(verbs)},APIGroups:[${group}],Resources:[${resource}],ResourceNames:[${name}],NonResourceURLs:[${path}]`;
function inOrder(a: SimpleRule, b: SimpleRule): number {
  const [first, second] = [textOf(a), textOf(b)];
  return first < second ? -1 : first > second ? 1 : 0;
}

export const ruleHeader: readonly string[] = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];

/** The cells of some rules, a row each. */
export function ruleRows(rules: readonly PolicyRule[]): readonly (readonly string[])[] {
  const simple = [...rules.flatMap(ofPaths), ...joined(rules.flatMap(ofResources))];
  return simple
    .toSorted(inOrder)
    .map(({ group, resource, path, name, verbs }) => [
      qualified(resource, group),
      `[${path}]`,
      `[${name}]`,
      goList(verbs),
    ]);
}
