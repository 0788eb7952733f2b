// Which images there are, what each is made from, and a fingerprint that changes when it has to be made again.
import { createHash } from "node:crypto";

/** The image everything starts from: pulled where a registry answers, bootstrapped from the Debian mirror elsewhere. */
export const baseTag = "orrery/debian:bookworm";

/** How one image is made. */
export interface Recipe {
  readonly tag: string;
  /** The folder below images/ that is its build context. */
  readonly folder: string;
  /** Build arguments that name other images. */
  readonly from: Readonly<Record<string, string>>;
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
}

const toolchain = { TOOLCHAIN: "orrery/toolchain:1" };
const services = { folder: "services", from: { ...toolchain, BUSYBOX: "orrery/busybox:1" } };

/** Every image that is built here, parents before children. */
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

/** What every node's container is made from. */
export const nodeTag = "orrery/node:1";
/** What every node holds from the start: pause, and what the examples need, so that they need no registry. */
export const heldTags: readonly string[] = recipes
  .map((recipe) => recipe.tag)
  .filter((tag) => tag !== nodeTag && tag !== "orrery/toolchain:1");

/** A file of a build context. */
export interface ContextFile {
  readonly path: string;
  readonly content: Uint8Array | string;
}

/** Twelve digits that change when a recipe, a file of its folder or anything it is made from changes. */
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
