// The paths of the proxies: `.../nodes|pods|services/[SCHEME:]NAME[:PORT]/proxy/REST`. Pure.

/** What is asked of which proxy. */
export interface ProxyPath {
  readonly plural: "nodes" | "pods" | "services";
  readonly namespace: string | undefined;
  /** `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`. */
  readonly id: string;
  /** Everything up to `proxy`, as it was written. */
  readonly prefix: string;
  /** What is asked of whatever is behind: empty, or beginning with a slash. */
  readonly rest: string;
}

const shape = /^(\/api\/v1\/(?:namespaces\/([^/]+)\/(pods|services)|(nodes))\/([^/]+)\/proxy)(\/.*)?$/;

/** Undefined when the path is none of a proxy. */
export function proxyPath(path: string): ProxyPath | undefined {
  const [, prefix = "", namespace, kind, node, id = "", rest = ""] = shape.exec(path) ?? [];
  if (prefix === "") return undefined;
  try {
    return {
      plural: (kind ?? node) as ProxyPath["plural"],
      namespace: namespace === undefined ? undefined : decodeURIComponent(namespace),
      id: decodeURIComponent(id),
      prefix,
      rest: cleaned(rest),
    };
  } catch {
    return undefined;
  }
}

/** Where the proxies are, as routes are written. */
export const proxyRoutes: readonly string[] = [
  "/api/v1/nodes/:name/proxy",
  "/api/v1/namespaces/:namespace/pods/:name/proxy",
  "/api/v1/namespaces/:namespace/services/:name/proxy",
].flatMap((route) => [route, `${route}/*`]);

const unescaped = /%(?:24|26|2B|2C|3A|3B|3D|40)/g;
/** A step of a path, escaped where it must be and nowhere else. */
const step = (text: string): string =>
  encodeURIComponent(text)
    .replace(unescaped, decodeURIComponent)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** A path without empty steps and steps back; a slash at its end stays. */
export function cleaned(path: string): string {
  const steps: string[] = [];
  for (const text of decodeURIComponent(path).split("/"))
    if (text === "..") steps.pop();
    else if (text !== "" && text !== ".") steps.push(step(text));
  if (steps.length === 0) return path === "" ? "" : "/";
  return `/${steps.join("/")}${path.endsWith("/") ? "/" : ""}`;
}

/** The parts of an id. */
export interface Named {
  readonly scheme: string;
  readonly name: string;
  readonly port: string;
}

/** Undefined when it is not written as ids are. */
export function namedIn(id: string): Named | undefined {
  const parts = id.split(":");
  if (parts.length > 3) return undefined;
  const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  return name !== "" && ["", "http", "https"].includes(scheme) ? { scheme, name, port } : undefined;
}
