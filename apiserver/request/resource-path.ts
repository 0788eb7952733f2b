// What a path means: which kind, which object, which part of it. Pure.

/** A resource path, taken apart. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Asked for by the old paths, which begin with the word. */
  readonly watch?: true;
}

/** Parts of a Namespace itself; anything else below a namespace is a kind that lives in it. */
const ofNamespaces = ["status", "finalize"];

/** The path as it is meant; undefined when it is not written as paths are. */
function meant(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
/** The steps of a path: a slash at its end says nothing, an empty step is one. */
function stepsOf(path: string): readonly string[] {
  const from = path.startsWith("/") ? 1 : 0;
  const to = path.length > from && path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(from, to).split("/");
}

/** Undefined when the path names no resource. */
export function resourcePath(path: string): ResourcePath | undefined {
  const known = meant(path);
  if (known === undefined) return undefined;
  const [root, ...rest] = stepsOf(known);
  if (root !== "api" && root !== "apis") return undefined;
  const [group, version, ...steps] = root === "api" ? ["", ...rest] : rest;
  if (group === undefined || version === undefined || steps.length === 0) return undefined;
  const watch = steps[0] === "watch" && steps.length > 1;
  const inside = watch ? steps.slice(1) : steps;
  const [first, second, third] = inside;
  const lives = first === "namespaces" && third !== undefined && !(inside.length === 3 && ofNamespaces.includes(third));
  const [plural, name, subresource, ...beyond] = lives ? inside.slice(2) : inside;
  if (plural === undefined || beyond.length > 0 || (watch && subresource !== undefined)) return undefined;
  return {
    group,
    version,
    plural,
    ...(lives && { namespace: second! }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
    ...(watch && { watch }),
  };
}
