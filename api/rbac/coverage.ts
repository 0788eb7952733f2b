// What rules of roles match, and whether some cover others. Source: the Kubernetes page "Using RBAC Authorization".
import type { PolicyRule } from "../generated/types.ts";

const all = "*";
/** Whether a list has a value, or the `*` that stands for all. */
export const includes = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes(value) || values.includes(all));

/** `pods`, `pods/log`, `*` for all, or `*` and a subresource for that of all resources. */
export function resourceMatches(resources: readonly string[] = [], resource: string, subresource: string): boolean {
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  return includes(resources, combined) || (subresource !== "" && resources.includes(`${all}/${subresource}`));
}

/** A path, or the beginning of paths before a `*`. */
export const urlMatches = (urls: readonly string[] = [], path: string): boolean =>
  urls.some((url) => url === all || url === path || (url.endsWith(all) && path.startsWith(url.replace(/\*+$/, ""))));

/** The rule as several, each of one verb on one resource or URL. */
function simpleRules(rule: PolicyRule): readonly PolicyRule[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames, nonResourceURLs = [] } = rule;
  const ofResources = apiGroups.flatMap((group) =>
    resources.flatMap((resource) =>
      verbs.flatMap((verb): readonly PolicyRule[] => {
        const simple = { verbs: [verb], apiGroups: [group], resources: [resource] };
        return resourceNames?.length ? resourceNames.map((name) => ({ ...simple, resourceNames: [name] })) : [simple];
      }),
    ),
  );
  const ofUrls = nonResourceURLs.flatMap((url) => verbs.map((verb) => ({ verbs: [verb], nonResourceURLs: [url] })));
  return [...ofResources, ...ofUrls];
}

/** Whether an owned rule allows all that a simple one does. */
function covers(owned: PolicyRule, { verbs, apiGroups, resources, resourceNames, nonResourceURLs }: PolicyRule) {
  if (!includes(owned.verbs, verbs[0]!)) return false;
  if (nonResourceURLs) return urlMatches(owned.nonResourceURLs, nonResourceURLs[0]!);
  const [resource = "", subresource = ""] = resources![0]!.split("/");
  const names = owned.resourceNames ?? [];
  return (
    includes(owned.apiGroups, apiGroups![0]!) &&
    resourceMatches(owned.resources, resource, subresource) &&
    (names.length === 0 || (resourceNames !== undefined && names.includes(resourceNames[0]!)))
  );
}

/** The parts of some rules that others do not allow, one verb on one resource or URL each. */
export const uncovered = (owned: readonly PolicyRule[], requested: readonly PolicyRule[]): readonly PolicyRule[] =>
  requested.flatMap(simpleRules).filter((simple) => !owned.some((rule) => covers(rule, simple)));
