// Reads the API descriptions that the client package lacks: line breaks, and the texts of fields that refer to another
// type. Source: the npm package kubernetes-types, an older release of the API.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Descriptions by field name; the empty name stands for the type. */
type Texts = ReadonlyMap<string, string>;

/** `core/v1.d.ts` holds `io.k8s.api.core.v1`; a few folders belong to other packages. */
function packageOf(file: string): string {
  const path = file.replace(/\.d\.ts$/, "").replaceAll("/", ".");
  if (path === "runtime") return "io.k8s.apimachinery.pkg.runtime";
  if (path.startsWith("api.")) return `io.k8s.apimachinery.pkg.${path}`;
  if (path.startsWith("meta.")) return `io.k8s.apimachinery.pkg.apis.${path}`;
  if (path.startsWith("apiextensions.")) return `io.k8s.apiextensions-apiserver.pkg.apis.${path}`;
  return `io.k8s.api.${path}`;
}

/** The text of a doc comment, with its line breaks. */
const commentText = (comment: string): string =>
  comment
    .replaceAll(/^[ \t]*\* ?/gm, "")
    .replaceAll("*\\/", "*/")
    .trim();

function textsIn(source: string, from: string): (readonly [string, Texts])[] {
  const declarations =
    /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:interface (\w+) \{\n([\s\S]*?)^\}|type (\w+) =)/gm;
  return [...source.matchAll(declarations)].map(([, comment = "", name, body = "", alias]) => {
    const fields = body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n\s*(?:readonly )?["']?([\w$-]+)["']?\??:/g);
    const texts = [...fields].map(([, text = "", field = ""]) => [field, commentText(text)] as const);
    return [`${from}.${name ?? alias}`, new Map([["", commentText(comment)], ...texts])] as const;
  });
}

/** Looks up texts by published type name; falls back to another version of the same type. */
export function readProse(folder: string): (published: string) => Texts | undefined {
  const files = globSync("**/*.d.ts", { cwd: folder }).toSorted();
  const all = files.flatMap((file) => textsIn(readFileSync(join(folder, file), "utf8"), packageOf(file)));
  const unversioned = (published: string): string => published.replace(/\.v\d+((alpha|beta)\d+)?\.(?=\w+$)/, ".");
  const exact = new Map(all);
  const otherVersion = new Map(all.map(([name, texts]) => [unversioned(name), texts]));
  return (published) => exact.get(published) ?? otherVersion.get(unversioned(published));
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/** The newer text; the older one where the newer is missing or differs only in line breaks. */
export const bestOf = (newer: string, older = ""): string =>
  newer === "" || oneLine(newer) === oneLine(older) ? older : newer;

/** Descriptions of query parameters by name, or by `operation.name` where they differ between operations. */
export function readParameters(client: string): Readonly<Record<string, string>> {
  const source = readFileSync(join(client, "dist/gen/apis/CoreV1Api.d.ts"), "utf8");
  const plain = (text: string): string =>
    text
      .replaceAll(/&#x(\w+);/g, (_, code: string) => String.fromCodePoint(Number.parseInt(code, 16)))
      .replaceAll("&quot;", '"')
      .replaceAll("&#39;", "'")
      .replaceAll(/\\(["'])/g, "$1");
  const texts: Record<string, string> = {};
  for (const [, comment = "", method = ""] of source.matchAll(/\/\*\*([\s\S]*?)\*\/\s*(\w+)\(/g)) {
    const operation = method.startsWith("patch") ? "patch" : (/@param name name of the (\w+)/.exec(comment)?.[1] ?? "");
    for (const [, parameter = "", text = ""] of comment.matchAll(/@param (\w+) (.+)/g)) {
      const name = parameter.replace(/^_/, "").replace("path2", "path");
      if (name === "name" || text.startsWith("path to the resource")) continue;
      texts[name] ??= plain(text);
      if (texts[name] !== plain(text)) texts[`${operation}.${name}`] = plain(text);
    }
  }
  return texts;
}

/** Types that the client maps to JavaScript types and therefore does not describe. */
export const nativeTypes = [
  "io.k8s.apimachinery.pkg.api.resource.Quantity",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time",
  "io.k8s.apimachinery.pkg.runtime.RawExtension",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
];
