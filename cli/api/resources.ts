// What people call things (`po`, `deploy/web`, `svc,ep`) and where those live in the API, as the server's discovery
// says.
import { CliError } from "../cli-error.ts";
import type { Connection } from "./connection.ts";

/** One resource the server offers. */
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

/** Everything the server offers, preferred versions first. */
export async function discover(api: Connection): Promise<readonly Resource[]> {
  const answers = await Promise.all(["/api", "/apis"].map((path) => api.ask<Discovery>({ path, accept: aggregated })));
  return answers
    .flatMap((a) => a.body.items)
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

const isCalled = (r: Resource, name: string): boolean => {
  const [bare = "", ...group] = name.split(".");
  if (group.length > 0 && group.join(".") !== r.group && group.join(".") !== `${r.version}.${r.group}`) return false;
  return [r.plural, r.singular, r.kind.toLowerCase(), ...r.shortNames].includes(bare.toLowerCase());
};
/** Measurements go by the same names as what is measured, and are asked for with `top`. */
const isMeasured = (r: Resource): boolean => r.group === "metrics.k8s.io";

/** The resources behind `pods,svc` or `all`; an unknown one is an error that lists what is near. */
export function resourcesCalled(words: string, all: readonly Resource[]): readonly Resource[] {
  return words.split(",").flatMap((word) => {
    const category = all.filter((r) => r.categories.includes(word));
    if (category.length > 0) return category;
    const found = all.find((r) => isCalled(r, word) && (!isMeasured(r) || word.includes("metrics")));
    if (found) return [found];
    const near = all
      .filter((r) => !isMeasured(r) && r.plural.startsWith(word.slice(0, 3).toLowerCase()))
      .map((r) => r.plural);
    throw new CliError(
      `the server does not have a resource type "${word}"`,
      near.length > 0 ? `Did you mean: ${near.join(", ")}?` : `It has: ${all.map((r) => r.plural).join(", ")}`,
    );
  });
}

/** The resource of a manifest's kind, or undefined when the server has none. */
export const resourceOfKind = (apiVersion: string, kind: string, all: readonly Resource[]): Resource | undefined =>
  all.find((r) => r.kind === kind && (r.group === "" ? r.version : `${r.group}/${r.version}`) === apiVersion);

/** Path of one object, of all in a namespace, or of all. */
export function pathOf(r: Resource, namespace: string | undefined, name?: string): string {
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${r.group}/${r.version}`;
  const place = r.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${place}/${r.plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

/** `deployment.apps/web`, as every command says what it did to what. */
export const display = (r: Resource, name: string): string =>
  `${r.singular || r.plural}${r.group === "" ? "" : `.${r.group}`}/${name}`;

/** Type and names as people give them: `pods a b`, `deploy/web`, `svc,ep`. */
export interface Wanted {
  readonly resource: Resource;
  /** Undefined means all of them. */
  readonly name: string | undefined;
}
export function wantedBy(words: readonly string[], all: readonly Resource[]): readonly Wanted[] {
  const [first, ...names] = words;
  if (first === undefined) throw new CliError("say which resource", "For example: orrery get pods");
  if (words.every((w) => w.includes("/")))
    return words.flatMap((w) => {
      const [type = "", name = ""] = w.split("/");
      return resourcesCalled(type, all).map((resource) => ({ resource, name }));
    });
  const wanted: readonly (string | undefined)[] = names.length === 0 ? [undefined] : names;
  return resourcesCalled(first, all).flatMap((resource) => wanted.map((name) => ({ resource, name })));
}
