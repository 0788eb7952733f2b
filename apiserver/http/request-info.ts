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

/**
 * The steps of a path: a slash at its end says nothing, an empty step is one. Undefined when it is not written as paths
 * are.
 */
function stepsOf(path: string): readonly string[] | undefined {
  try {
    return decodeURIComponent(path).replace(/^\//, "").replace(/\/$/, "").split("/");
  } catch {
    return undefined;
  }
}

/** Undefined when the path names no resource. */
export function resourcePath(path: string): ResourcePath | undefined {
  const [root, ...rest] = stepsOf(path) ?? [];
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
