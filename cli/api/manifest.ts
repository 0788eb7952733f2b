// Reads manifests, and finds errors in them with file and line before anything is sent.
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { builtinKinds } from "../../api/builtin/kinds.ts";
import { apiVersionOf } from "../../api/kinds.ts";
import type { DraftMeta } from "../../api/meta.ts";
import { decode } from "../../api/schema.ts";
import { CliError } from "../cli-error.ts";
import { textOf } from "../cluster/connection.ts";
import { type Resource, resourceOfKind } from "./resources.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: DraftMeta & { readonly name: string };
}
/** An object of a manifest. `lineOf` finds the line of a field such as `spec.containers[0].image`. */
export interface ManifestObject {
  readonly file: string;
  readonly line: number;
  readonly object: Manifest;
  readonly lineOf: (path: string) => number;
}
export interface ManifestError {
  readonly file: string;
  readonly line: number;
  readonly message: string;
}
export interface Manifests {
  readonly objects: readonly ManifestObject[];
  readonly errors: readonly ManifestError[];
}

const isManifest = (file: string): boolean => [".yaml", ".yml", ".json"].includes(extname(file));

/** The manifests of a folder by name, with those of folders below if `recursive`; or a single file. */
async function filesOf(path: string, recursive: boolean): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CliError(`the path "${path}" does not exist`);
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { withFileTypes: true });
  const nested = await Promise.all(
    entries
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((e) => {
        const inside = join(path, e.name);
        if (e.isDirectory()) return recursive ? filesOf(inside, true) : [];
        return isManifest(e.name) ? [inside] : [];
      }),
  );
  return nested.flat();
}

/** `spec.containers[0].image` as a path in a YAML document. */
const steps = (path: string): readonly (string | number)[] =>
  [...path.matchAll(/\[(\d+)\]|\[([^\]]+)\]|([^.[\]]+)/g)].map(([, index, key, name]) =>
    index === undefined ? (key ?? name ?? "") : Number(index),
  );

interface Pair {
  readonly key?: { readonly value?: unknown; readonly range?: readonly number[] };
}
/** The line of a field, or of its closest ancestor in the document. */
function lineIn(document: Document, counter: LineCounter, path: string): number {
  const walked = steps(path);
  for (let length = walked.length; length >= 0; length--) {
    const node = document.getIn(walked.slice(0, length), true) as { readonly range?: readonly number[] } | undefined;
    const parent = document.getIn(walked.slice(0, length - 1), true) as
      | { readonly items?: readonly Pair[] }
      | undefined;
    const key = parent?.items?.find((pair) => pair.key?.value === walked[length - 1])?.key;
    const at = key?.range?.[0] ?? node?.range?.[0];
    if (at !== undefined) return counter.linePos(at).line;
  }
  return 1;
}

const expanded = (value: unknown): readonly unknown[] => {
  const list = value as { readonly kind?: string; readonly items?: readonly unknown[] };
  return list.kind === "List" && Array.isArray(list.items) ? list.items : [value];
};

function errorIn(object: Partial<Manifest>): string | undefined {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return "is not an object";
  if (!object.apiVersion) return "apiVersion is not set";
  if (!object.kind) return "kind is not set";
  return object.metadata?.name ? undefined : "metadata.name is not set";
}

/** The objects of a file, and its errors. */
export function parseManifests(file: string, text: string): Manifests {
  const counter = new LineCounter();
  const documents = parseAllDocuments(text, { version: "1.1", lineCounter: counter, merge: true });
  const objects: ManifestObject[] = [];
  const errors: ManifestError[] = [];
  for (const document of "empty" in documents ? [] : documents) {
    for (const e of document.errors)
      errors.push({
        file,
        line: e.linePos?.[0].line ?? 1,
        message: e.message.split("\n")[0]!.replace(/ at line.*$/, ""),
      });
    if (document.errors.length > 0 || document.contents === null) continue;
    const line = lineIn(document, counter, "");
    for (const object of expanded(document.toJS()) as readonly Manifest[]) {
      const message = errorIn(object);
      if (message === undefined)
        objects.push({ file, line, object, lineOf: (path) => lineIn(document, counter, path) });
      else errors.push({ file, line, message });
    }
  }
  return { objects, errors };
}

/** The objects of files and folders; `-` is standard input. */
export async function readManifests(paths: readonly string[], recursive: boolean): Promise<Manifests> {
  if (paths.length === 0) throw new CliError("say which manifests", "For example: orrery apply -f manifests/guestbook");
  const read: Manifests[] = [];
  for (const path of paths) {
    if (path === "-") read.push(parseManifests("standard input", await textOf(process.stdin)));
    else
      for (const file of await filesOf(path, recursive)) read.push(parseManifests(file, await readFile(file, "utf8")));
  }
  return { objects: read.flatMap((r) => r.objects), errors: read.flatMap((r) => r.errors) };
}

/** Errors that are found without the server: kinds that are not served, unknown fields, values of the wrong type. */
export function errorsIn(
  { file, object, lineOf }: ManifestObject,
  resources: readonly Resource[],
): readonly ManifestError[] {
  const { apiVersion, kind } = object;
  if (!resourceOfKind(apiVersion, kind, resources))
    return [{ file, line: lineOf("kind"), message: `no matches for kind "${kind}" in version "${apiVersion}"` }];
  const definition = builtinKinds.find((k) => k.kind === kind && apiVersionOf(k) === apiVersion);
  if (!definition) return [];
  const { unknown, wrong } = decode(definition.schema, object);
  return [
    ...unknown.map((path) => ({ file, line: lineOf(path), message: `unknown field "${path}"` })),
    ...wrong.map(({ path, read }) => {
      const [, given = "", want = ""] = /cannot unmarshal (\S+) .*of type (\S+)/.exec(read) ?? [];
      return { file, line: lineOf(path), message: `${path}: a ${given} is given, but ${want} is wanted` };
    }),
  ];
}
