// Reads manifests, and finds errors in them with file and line before anything is sent.
import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import type { DraftMeta } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { trustSystem } from "./authorities.ts";
import { textOf } from "./connection.ts";

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: DraftMeta;
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
/** The flags that name manifests. */
export interface FileFlags {
  readonly filename?: readonly string[];
  readonly kustomize?: string;
  readonly recursive?: boolean;
}
export interface Manifests {
  readonly objects: readonly ManifestObject[];
  readonly errors: readonly ManifestError[];
}

const isManifest = (file: string): boolean => [".yaml", ".yml", ".json"].includes(extname(file));

/** The manifests of a folder by name, with those of folders below if `recursive`. */
async function filesIn(path: string, recursive: boolean): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  const nested = await Promise.all(
    entries
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((e) => {
        const inside = join(path, e.name);
        if (e.isDirectory()) return recursive ? filesIn(inside, true) : [];
        return isManifest(e.name) ? [inside] : [];
      }),
  );
  return nested.flat();
}

/** A file, or the manifests of a folder. */
async function filesOf(path: string, recursive: boolean): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new CliError(`the path "${path}" does not exist`);
  if (!found.isDirectory()) return [path];
  const files = await filesIn(path, recursive);
  if (files.length > 0) return files;
  throw new CliError(`error reading [${path}]: recognized file extensions are [.json .yaml .yml]`);
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
  return list.kind?.endsWith?.("List") && Array.isArray(list.items) ? list.items : [value];
};

function errorIn(object: Partial<Manifest>): string | undefined {
  if (typeof object !== "object" || object === null || Array.isArray(object)) return "is not an object";
  if (!object.apiVersion) return "apiVersion is not set";
  if (!object.kind) return "kind is not set";
  return object.metadata?.name || object.metadata?.generateName ? undefined : "metadata.name is not set";
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
    const value: unknown = document.errors.length > 0 ? null : document.toJS();
    // A document without content, such as the one after a last `---`, is no object.
    if (value === null) continue;
    const line = lineIn(document, counter, "");
    for (const object of expanded(value) as readonly Manifest[]) {
      const message = errorIn(object);
      if (message === undefined)
        objects.push({ file, line, object, lineOf: (path) => lineIn(document, counter, path) });
      else errors.push({ file, line, message });
    }
  }
  return { objects, errors };
}

/** Downloads a manifest. Throws CliError when the server does not send it. */
async function download(url: string): Promise<string> {
  trustSystem();
  const response = await fetch(url).catch((error: Error) => {
    throw new CliError(`unable to read URL "${url}": ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
  if (response.ok) return response.text();
  throw new CliError(
    `unable to read URL "${url}", server reported ${response.status} ${response.statusText}, status code=${response.status}`,
  );
}

/** The objects of files, folders and URLs; `-` is standard input. */
export async function readManifests(paths: readonly string[], recursive: boolean): Promise<Manifests> {
  if (paths.length === 0) throw new CliError("must specify one of -f and -k", "For example: -f manifests/guestbook");
  const read: Manifests[] = [];
  for (const path of paths) {
    if (path === "-") read.push(parseManifests("standard input", await textOf(process.stdin)));
    else if (/^https?:\/\//.test(path)) read.push(parseManifests(path, await download(path)));
    else
      for (const file of await filesOf(path, recursive)) read.push(parseManifests(file, await readFile(file, "utf8")));
  }
  return { objects: read.flatMap((r) => r.objects), errors: read.flatMap((r) => r.errors) };
}

const located = ({ file, line, message }: ManifestError): string => `${file}:${line}: ${message}`;

/** Throws CliError for all errors of manifests at once, each with its file and line. */
export function refuse(errors: readonly ManifestError[]): void {
  if (errors.length === 1) throw new CliError(located(errors[0]!));
  if (errors.length > 1)
    throw new CliError(`the manifests have ${errors.length} errors:\n${errors.map(located).join("\n")}`);
}

const noKustomize = new CliError(
  "orrery does not build kustomizations",
  "kubectl does: kubectl kustomize DIR | orrery apply -f -",
);

const read = new WeakMap<readonly string[], Promise<readonly ManifestObject[]>>();

async function checkedManifests(paths: readonly string[], recursive: boolean): Promise<readonly ManifestObject[]> {
  const { objects, errors } = await readManifests(paths, recursive);
  refuse(errors);
  return objects;
}

/** The objects of the manifests, which are read once. Throws CliError for all errors in them. */
export async function manifestsOf({
  filename = [],
  kustomize,
  recursive,
}: FileFlags): Promise<readonly ManifestObject[]> {
  if (kustomize) throw noKustomize;
  const objects = read.get(filename) ?? checkedManifests(filename, recursive === true);
  read.set(filename, objects);
  return objects;
}
