// The resources that CustomResourceDefinitions among manifests will make the server serve. Pure.
import type { ManifestObject } from "./manifests.ts";
import type { Resource } from "./resources.ts";

interface Definition {
  readonly spec?: {
    readonly group?: string;
    readonly scope?: string;
    readonly names?: { readonly kind?: string; readonly plural?: string; readonly singular?: string };
    readonly versions?: readonly { readonly name?: string; readonly served?: boolean }[];
  };
}

/** The resources of the definitions, in each version that they serve. */
export const definedKinds = (objects: readonly ManifestObject[]): readonly Resource[] =>
  objects
    .filter(({ object }) => object.kind === "CustomResourceDefinition")
    .flatMap(({ object }) => {
      const { group, scope, names, versions = [] } = (object as Definition).spec ?? {};
      const { kind, plural, singular } = names ?? {};
      if (!group || !kind || !plural) return [];
      return versions
        .filter(({ name, served }) => name && served !== false)
        .map(({ name }) => ({
          ...{ group, version: name!, plural, singular: singular ?? kind.toLowerCase(), kind },
          ...{ namespaced: scope !== "Cluster", shortNames: [], categories: [], verbs: [], subresources: [] },
        }));
    });
