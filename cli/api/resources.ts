// Resolves resource arguments (`po`, `deploy/web`, `svc,ep`) to resources and their API paths, by discovery.
import { CliError } from "../cli-error.ts";
import type { Connection } from "../cluster/connection.ts";

/** A resource the server serves. */
export interface Resource {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
}

interface Discovery {
  readonly items: readonly {
    readonly metadata: { readonly name?: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly singularResource?: string;
        readonly responseKind: { readonly kind: string };
        readonly scope: "Namespaced" | "Cluster";
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
      }[];
    }[];
  }[];
}
const aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** All resources the server serves, preferred versions first. */
export async function discover(api: Connection): Promise<readonly Resource[]> {
  const responses = await Promise.all(
    ["/api", "/apis"].map((path) => api.request<Discovery>({ path, accept: aggregated })),
  );
  return responses
    .flatMap(({ body }) => body.items)
    .flatMap((group) =>
      group.versions.flatMap(({ version, resources = [] }) =>
        resources.map((r) => ({
          group: group.metadata.name ?? "",
          version,
          plural: r.resource,
          singular: r.singularResource ?? "",
          kind: r.responseKind.kind,
          namespaced: r.scope === "Namespaced",
          shortNames: r.shortNames ?? [],
          categories: r.categories ?? [],
        })),
      ),
    );
}

/** Whether a name such as `deploy`, `deployments.apps` or `Deployment` refers to the resource. */
export const isNamed = (r: Resource, name: string): boolean => {
  const [bare = "", ...group] = name.split(".");
  if (group.length > 0 && group.join(".") !== r.group && group.join(".") !== `${r.version}.${r.group}`) return false;
  return [r.plural, r.singular, r.kind.toLowerCase(), ...r.shortNames].includes(bare.toLowerCase());
};
/** Metrics have the names of the measured resources; `top` shows them. */
const isMetric = (r: Resource): boolean => r.group === "metrics.k8s.io";

/** The resources of `pods,svc` or a category such as `all`. Throws CliError with similar names for unknown ones. */
export function resourcesNamed(words: string, all: readonly Resource[]): readonly Resource[] {
  return words.split(",").flatMap((word) => {
    const category = all.filter((r) => r.categories.includes(word));
    if (category.length > 0) return category;
    const found = all.find((r) => isNamed(r, word) && (!isMetric(r) || word.includes("metrics")));
    if (found) return [found];
    const near = all
      .filter((r) => !isMetric(r) && r.plural.startsWith(word.slice(0, 3).toLowerCase()))
      .map((r) => r.plural);
    throw new CliError(
      `the server does not have a resource type "${word}"`,
      near.length > 0 ? `Did you mean: ${near.join(", ")}?` : `It has: ${all.map((r) => r.plural).join(", ")}`,
    );
  });
}

/** The resource of a kind, or undefined when the server does not serve it. */
export const resourceOfKind = (apiVersion: string, kind: string, all: readonly Resource[]): Resource | undefined =>
  all.find((r) => r.kind === kind && (r.group === "" ? r.version : `${r.group}/${r.version}`) === apiVersion);

/** The path of an object, of a namespace's list or of the list of all namespaces. */
export function pathOf(r: Resource, namespace: string | undefined, name?: string): string {
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${r.group}/${r.version}`;
  const scope = r.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${scope}/${r.plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

/** `deployment.apps/web`: an object in the output of commands. */
export const display = (r: Resource, name: string): string =>
  `${r.singular || r.plural}${r.group === "" ? "" : `.${r.group}`}/${name}`;

/** A resource argument: one object, or all of a resource. */
export interface Target {
  readonly resource: Resource;
  /** Undefined for all objects. */
  readonly name: string | undefined;
}
/** The targets of arguments such as `pods a b`, `deploy/web` or `svc,ep`. */
export function targetsOf(words: readonly string[], all: readonly Resource[]): readonly Target[] {
  const [first, ...names] = words;
  if (first === undefined) throw new CliError("say which resource", "For example: orrery get pods");
  if (words.every((w) => w.includes("/")))
    return words.flatMap((w) => {
      const [type = "", name = ""] = w.split("/");
      return resourcesNamed(type, all).map((resource) => ({ resource, name }));
    });
  const namesOrAll: readonly (string | undefined)[] = names.length === 0 ? [undefined] : names;
  return resourcesNamed(first, all).flatMap((resource) => namesOrAll.map((name) => ({ resource, name })));
}
