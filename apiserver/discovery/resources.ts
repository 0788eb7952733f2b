// What may be asked of a kind, as discovery tells it: its verbs, its names, its parts and what those parts speak of.
import { createHash } from "node:crypto";
import type { ResourceDefinition, Subresource } from "../../api/kinds.ts";

/** One resource or part of one, as `metav1.APIResource`. */
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

/** Which verbs a kind knows. Namespaces are deleted one by one: no selector should be able to empty a cluster. */
export function verbsOf(r: ResourceDefinition): readonly string[] {
  if (r.virtual) return virtualVerbs[r.virtual];
  return r.group === "" && r.plural === "namespaces" ? verbs.filter((verb) => verb !== "deletecollection") : verbs;
}

interface Part {
  /** What its bodies are, where they are not the object itself. */
  readonly kind?: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}
const changing = ["get", "patch", "update"];
const parts: Readonly<Record<Subresource, Part>> = {
  status: { verbs: changing },
  scale: { group: "autoscaling", version: "v1", kind: "Scale", verbs: changing },
  binding: { kind: "Binding", verbs: ["create"] },
  eviction: { group: "policy", version: "v1", kind: "Eviction", verbs: ["create"] },
  proxy: { kind: "ProxyOptions", verbs: ["create", "delete", "get", "patch", "update"] },
  finalize: { verbs: ["update"] },
  approval: { verbs: changing },
  token: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", verbs: ["create"] },
  ephemeralcontainers: { verbs: changing },
  resize: { verbs: changing },
  log: { verbs: ["get"] },
  exec: { kind: "PodExecOptions", verbs: ["create", "get"] },
  attach: { kind: "PodAttachOptions", verbs: ["create", "get"] },
  portforward: { kind: "PodPortForwardOptions", verbs: ["create", "get"] },
};

/** A part of a kind: its verbs, and the kind its bodies have. */
export function partOf(r: ResourceDefinition, name: Subresource): Part & { readonly kind: string } {
  const { kind = r.kind, ...part } = parts[name];
  return { ...part, kind: name === "proxy" ? `${r.kind}${kind}` : kind };
}

/** Which kind and version are in the log: what a migration of storage waits for to change. */
function storageVersionHash(r: ResourceDefinition): string {
  const { group, version, kind } = r.form?.of ?? r;
  return createHash("sha256").update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString("base64");
}

/** A kind, and after it its parts, by name. */
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
  const inside = r.subresources.toSorted().map((part) => {
    const { group, version, kind, verbs: ofPart } = partOf(r, part);
    const of = group === undefined ? {} : { group, version: version! };
    return { name: `${r.plural}/${part}`, singularName: "", namespaced, ...of, kind, verbs: ofPart };
  });
  return [own, ...inside];
}
