// The images that are built, their build parameters, and a fingerprint that changes when one must be rebuilt.
import { createHash } from "node:crypto";

/** The base image: pulled from a registry, or else bootstrapped from the Debian mirror. */
export const baseTag = "orrery/debian:bookworm";

/** The build parameters of an image. */
export interface Recipe {
  readonly tag: string;
  /** The build context, a folder of images/. */
  readonly folder: string;
  /** Build arguments that name other images. */
  readonly from: Readonly<Record<string, string>>;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
}

const toolchain = { TOOLCHAIN: "orrery/toolchain:1" };
const services = { folder: "services", from: { ...toolchain, BUSYBOX: "orrery/busybox:1" } };

/** All images that are built, parents before children. */
export const recipes: readonly Recipe[] = [
  { tag: "orrery/node:1", folder: "node", from: { BASE: baseTag } },
  { tag: "orrery/toolchain:1", folder: "toolchain", from: { BASE: baseTag } },
  { tag: "orrery/pause:1", folder: "pause", from: toolchain },
  { tag: "orrery/busybox:1", folder: "busybox", from: toolchain },
  { tag: "orrery/web:1", ...services, target: "web", args: { VERSION: "1" } },
  { tag: "orrery/web:2", ...services, target: "web", args: { VERSION: "2" } },
  { tag: "orrery/kv:1", ...services, target: "kv" },
  { tag: "orrery/load:1", ...services, target: "load" },
];

/** The image of node containers. */
export const nodeTag = "orrery/node:1";
/** The images preloaded into all nodes: pause and those of the examples. */
export const preloadedTags: readonly string[] = recipes
  .map((recipe) => recipe.tag)
  .filter((tag) => tag !== nodeTag && tag !== "orrery/toolchain:1");

/** A file of a build context. */
export interface ContextFile {
  readonly path: string;
  readonly content: Uint8Array | string;
}

/** Twelve hex digits that change with the recipe, a file of its context or the fingerprint of a parent. */
export const fingerprint = (recipe: Recipe, files: readonly ContextFile[], parents: readonly string[]): string => {
  const hash = createHash("sha256");
  const { tag, from, args, target } = recipe;
  hash.update(JSON.stringify([tag, from, args ?? {}, target ?? "", parents]));
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`\0${file.path}\0`);
    hash.update(file.content);
  }
  return hash.digest("hex").slice(0, 12);
};
