// Which kinds a published schema stands for (`x-kubernetes-group-version-kind`). Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ServedVersion } from "../discovery/order.ts";
import { subresources } from "../registry/subresources.ts";
import type { GroupVersionKind } from "./schemas.ts";

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
/** What the API says of itself, in version 1 of no group. */
const ofNoGroup = ["APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "Status"].map(
  (kind) => `${meta}.${kind}`,
);
/** Spoken of in every version of every group. */
const everywhere = [`${meta}.DeleteOptions`, `${meta}.WatchEvent`];
/** Kinds that only subresources speak; they are in no registry. */
const ofSubresources = Object.values(subresources).flatMap(({ speaks }) => (speaks ? [speaks] : []));

/** The kinds of a schema by its name. A document of one group version tells of that one alone where all would do. */
export function kindsOfSchemas(
  kinds: readonly ResourceDefinition[],
  of?: ServedVersion,
): (name: string) => readonly GroupVersionKind[] {
  const known = new Map<string, GroupVersionKind>(
    ofSubresources.map(({ published, group, kind, version }) => [published, { group, kind, version }]),
  );
  for (const { group, version, kind, published } of kinds) {
    known.set(published, { group, kind, version });
    known.set(`${published}List`, { group, kind: `${kind}List`, version });
  }
  for (const name of ofNoGroup) known.set(name, { group: "", kind: name.slice(meta.length + 1), version: "v1" });
  const versions = new Map(kinds.map(({ group, version }) => [`${group}/${version}`, { group, version }]));
  return (name) => {
    if (everywhere.includes(name)) {
      const kind = name.slice(meta.length + 1);
      const all = of ? [of] : [...versions.values()];
      return all.map(({ group, version }) => ({ group, kind, version }));
    }
    const one = known.get(name);
    return one ? [one] : [];
  };
}
