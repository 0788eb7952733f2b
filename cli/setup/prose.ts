// What the API's documentation says where the client has lost it: the texts of fields that refer to another type, and
// line breaks. An older release of the API as types still has both.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The text of a type under the empty name, those of its fields under theirs. */
type Texts = ReadonlyMap<string, string>;

/** `core/v1.d.ts` holds `io.k8s.api.core.v1`; a few folders are published under another name. */
function packageOf(file: string): string {
  const path = file.replace(/\.d\.ts$/, "").replaceAll("/", ".");
  if (path === "runtime") return "io.k8s.apimachinery.pkg.runtime";
  if (path.startsWith("api.")) return `io.k8s.apimachinery.pkg.${path}`;
  if (path.startsWith("meta.")) return `io.k8s.apimachinery.pkg.apis.${path}`;
  if (path.startsWith("apiextensions.")) return `io.k8s.apiextensions-apiserver.pkg.apis.${path}`;
  return `io.k8s.api.${path}`;
}

/** A comment without its stars; breaks between lines are kept as they are meant. */
const textOf = (comment: string): string =>
  comment
    .replaceAll(/^[ \t]*\* ?/gm, "")
    .replaceAll("*\\/", "*/")
    .trim();

function textsIn(source: string, from: string): (readonly [string, Texts])[] {
  const declared = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n)?export (?:interface (\w+) \{\n([\s\S]*?)^\}|type (\w+) =)/gm;
  return [...source.matchAll(declared)].map(([, comment = "", name, body = "", alias]) => {
    const fields = body.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n\s*(?:readonly )?["']?([\w$-]+)["']?\??:/g);
    const texts = [...fields].map(([, text = "", field = ""]) => [field, textOf(text)] as const);
    return [`${from}.${name ?? alias}`, new Map([["", textOf(comment)], ...texts])] as const;
  });
}

/** The texts of a type by its published name; those of another version where this one did not exist then. */
export function readProse(folder: string): (published: string) => Texts | undefined {
  const files = globSync("**/*.d.ts", { cwd: folder }).toSorted();
  const all = files.flatMap((file) => textsIn(readFileSync(join(folder, file), "utf8"), packageOf(file)));
  const unversioned = (published: string): string => published.replace(/\.v\d+((alpha|beta)\d+)?\.(?=\w+$)/, ".");
  const exact = new Map(all);
  const near = new Map(all.map(([name, texts]) => [unversioned(name), texts]));
  return (published) => exact.get(published) ?? near.get(unversioned(published));
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

/** The newer text, in the older one's lines where they say the same; the older one where the newer is lost. */
export const bestOf = (newer: string, older = ""): string =>
  newer === "" || oneLine(newer) === oneLine(older) ? older : newer;

/** What query parameters mean, by name; where it depends on what is asked, by that and the name. */
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
    const about = method.startsWith("patch") ? "patch" : (/@param name name of the (\w+)/.exec(comment)?.[1] ?? "");
    for (const [, named = "", text = ""] of comment.matchAll(/@param (\w+) (.+)/g)) {
      const name = named.replace(/^_/, "").replace("path2", "path");
      if (name === "name" || text.startsWith("path to the resource")) continue;
      texts[name] ??= plain(text);
      if (texts[name] !== plain(text)) texts[`${about}.${name}`] = plain(text);
    }
  }
  return texts;
}

/** Types that the client writes as what they are in JavaScript, and so does not describe. */
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
