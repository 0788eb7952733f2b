// Operations and paths as data, and the names of operations. Pure.
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { GroupVersionKind } from "./schemas.ts";

/** Methods as OpenAPI writes them. */
export type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";

/** One thing that may be done at a path. */
export interface Operation {
  readonly method: Method;
  readonly id: string;
  readonly description: string;
  /** What authorization calls it; nothing for discovery. */
  readonly action?: string;
  readonly kind?: GroupVersionKind;
  /** Names of query parameters. */
  readonly query: readonly string[];
  /** Name of the schema of the body. */
  readonly body?: string;
  /** Schemas of the answers, by their codes; nothing is a text. */
  readonly answers: Readonly<Record<number, string | undefined>>;
  /** Whether the answer may go on for as long as the client listens. */
  readonly stream?: boolean;
  readonly tag: string;
}
/** A path with names to be filled in, and what may be done there. */
export interface Path {
  readonly path: string;
  /** Names of parameters that everything there has; one of the path that is no name of an object stands in braces. */
  readonly parameters: readonly string[];
  readonly operations: readonly Operation[];
}

/** A word as it stands inside a name. */
export const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** `rbac.authorization.k8s.io` is RbacAuthorization in names of operations. */
export const groupWord = (group: string): string =>
  group === ""
    ? "Core"
    : group
        .replace(/\.k8s\.io$/, "")
        .split(".")
        .map(capital)
        .join("");
const lowered = (word: string): string => word.charAt(0).toLowerCase() + word.slice(1);
/** `rbacAuthorization_v1`. */
export const tagOf = (group: string, version: string): string => `${lowered(groupWord(group))}_${version}`;
/** Where a version of a group begins. */
export const rootOf = (group: string, version: string): string =>
  group === "" ? `/api/${version}` : `/apis/${group}/${version}`;

/** What all operations of a kind have in common, and how their names are made. */
export interface Speaker {
  readonly r: ResourceDefinition;
  readonly root: string;
  readonly scoped: "Namespaced" | "";
  readonly tag: string;
  readonly gvk: GroupVersionKind;
  id(verb: string, rest: string): string;
}
/** Say how a kind is spoken of. */
export function speakerOf(r: ResourceDefinition): Speaker {
  const { group, version, kind } = r;
  return {
    r,
    root: rootOf(group, version),
    scoped: r.scope === "Namespaced" ? "Namespaced" : "",
    tag: tagOf(group, version),
    gvk: { group, version, kind },
    id: (verb, rest) => `${verb}${groupWord(group)}${capital(version)}${rest}`,
  };
}
