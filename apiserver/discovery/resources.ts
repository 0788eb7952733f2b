// A kind and its subresources as discovery describes them: verbs, names, and the kinds of bodies.
import { createHash } from "node:crypto";
import { apiVersionOf, type ResourceDefinition, type Subresource } from "../../api/kinds.ts";
import { strategyOf } from "../registry/strategies/table.ts";
import { subresources } from "../registry/subresources.ts";

/** A resource or a subresource, as `metav1.APIResource`. */
export interface ApiResource {
  readonly name: string;
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly group?: string;
  readonly version?: string;
  readonly kind: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly storageVersionHash?: string;
}

const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const virtualVerbs = { measured: ["get", "list"], review: ["create"] };

/** The verbs of a kind. */
export function verbsOf(r: ResourceDefinition): readonly string[] {
  if (r.virtual) return virtualVerbs[r.virtual];
  return strategyOf(r).deletion.isSingle ? verbs.filter((verb) => verb !== "deletecollection") : verbs;
}

/** A subresource as discovery describes it: its verbs, and the kind of its bodies. */
export function describeSubresource(
  r: ResourceDefinition,
  name: Subresource,
): Pick<ApiResource, "group" | "version" | "kind" | "verbs"> {
  const { verbs: own, speaks, connects } = subresources[name];
  const isElsewhere = speaks !== undefined && apiVersionOf(speaks) !== apiVersionOf(r);
  return {
    ...(isElsewhere && { group: speaks.group, version: speaks.version }),
    kind: speaks?.kind ?? connects?.options(r) ?? r.kind,
    verbs: own,
  };
}

/** Which kind and version are in the log: what a migration of storage waits for to change. */
function storageVersionHash(r: ResourceDefinition): string {
  const { group, version, kind } = r.form?.of ?? r;
  return createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
}

/** A kind, followed by its subresources in order of their names. */
export function resourcesOf(r: ResourceDefinition): readonly ApiResource[] {
  const namespaced = r.scope === "Namespaced";
  const own = {
    name: r.plural,
    singularName: r.singular,
    namespaced,
    kind: r.kind,
    verbs: verbsOf(r),
    ...(r.shortNames.length > 0 && { shortNames: r.shortNames }),
    ...(r.categories.length > 0 && { categories: r.categories }),
    ...(!r.virtual && { storageVersionHash: storageVersionHash(r) }),
  };
  const inside = r.subresources
    .toSorted()
    .map((name) => ({ name: `${r.plural}/${name}`, singularName: "", namespaced, ...describeSubresource(r, name) }));
  return [own, ...inside];
}
