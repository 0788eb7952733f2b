// The resources a server serves: how arguments name them, and their API paths. Pure.
import { CliError } from "../cli-error.ts";
import { similar } from "../program/suggestions.ts";

/** A resource the server serves, in one version. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Names of its subresources, such as `scale`. */
  readonly subresources: readonly string[];
}

/** `apps/v1`, or `v1` for the core group. */
export const apiVersionOf = (r: Pick<Resource, "group" | "version">): string =>
  r.group === "" ? r.version : `${r.group}/${r.version}`;

/** Whether a name such as `deploy`, `deployments.v1.apps` or `Deployment` refers to the resource. */
export const isNamed = (r: Resource, name: string): boolean => {
  const [bare = "", ...rest] = name.split(".");
  const group = rest.join(".");
  if (rest.length > 0 && ![r.group, `${r.version}.${r.group}`].includes(group)) return false;
  return [r.plural, r.singular, r.kind.toLowerCase(), ...r.shortNames].includes(bare.toLowerCase());
};

/** The resource that an argument names. Throws CliError in kubectl's words, with similar names. */
export function resourceNamed(word: string, all: readonly Resource[]): Resource {
  const found = all.find((r) => isNamed(r, word));
  if (found) return found;
  const bare = word.split(".")[0]!;
  const near =
    bare === "" ? [] : similar(bare, [...new Set(all.flatMap((r) => [r.plural, r.singular, ...r.shortNames]))]);
  throw new CliError(
    `the server doesn't have a resource type ${JSON.stringify(bare)}`,
    near.length > 0
      ? `Did you mean: ${near.slice(0, 3).join(", ")}?`
      : bare === ""
        ? undefined
        : `If it is the name of an object, give its type as well, such as deploy/${bare}.`,
  );
}

/** Whether it is the first version of its group that the server lists. */
export const isPreferred = (r: Resource, all: readonly Resource[]): boolean =>
  all.find((other) => other.group === r.group && other.plural === r.plural) === r;

/** The resources of `pods,svc`, or of a category such as `all`, each once. */
export const resourcesNamed = (words: string, all: readonly Resource[]): readonly Resource[] => [
  ...new Set(
    words.split(",").flatMap((word) => {
      const category = all.filter((r) => r.categories.includes(word) && isPreferred(r, all));
      return category.length > 0 ? category : [resourceNamed(word, all)];
    }),
  ),
];

/** The resource of a kind, or undefined when the server does not serve it. */
export const resourceOfKind = (apiVersion: string, kind: string, all: readonly Resource[]): Resource | undefined =>
  all.find((r) => r.kind === kind && apiVersionOf(r) === apiVersion);

/** The path of an object, of a namespace's list or of the list of all namespaces. */
export function pathOf(
  r: Pick<Resource, "group" | "version" | "plural" | "namespaced">,
  namespace: string | undefined,
  name?: string,
): string {
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${r.group}/${r.version}`;
  const scope = r.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${r.plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

/** The query string of these parameters, without undefined ones. */
export function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const defined = Object.entries(parameters).flatMap(([k, v]) => (v === undefined ? [] : [[k, String(v)]]));
  return defined.length === 0 ? "" : `?${new URLSearchParams(defined)}`;
}

/** `deployment.apps/web`: an object in the output of commands. */
export const display = (r: Resource, name: string): string => `${typeName(r)}/${name}`;

/** `deployment.apps`: a type in the output of commands. */
export const typeName = (r: Resource): string =>
  `${r.singular || r.kind.toLowerCase()}${r.group === "" ? "" : `.${r.group}`}`;
