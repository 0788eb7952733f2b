// `create configmap` and `create secret`: the sources of their data, and the objects.
import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { validateDataKey } from "../../api/names.ts";
import { detailOf } from "../../api/problems.ts";
import { quoted } from "../../api/quote.ts";
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, withMeta } from "./generated-object.ts";
import { orderedJson } from "./ordered-json.ts";

/** A key and its bytes. */
export type DataEntry = readonly [key: string, bytes: Buffer];

/** A pair of `--from-literal`. */
export function literalEntry(text: string): DataEntry {
  const at = text.indexOf("=");
  if (at <= 0) throw new CliError(`invalid literal source ${text}, expected key=value`);
  return [text.slice(0, at), Buffer.from(text.slice(at + 1))];
}

/** What `--from-file` refers to: a path, and a key if it names one. */
export interface FileSource {
  readonly path: string;
  readonly key: string | undefined;
}

/** Parses `PATH` or `KEY=PATH`. */
export function fileSource(text: string): FileSource {
  const [key = "", path, ...more] = text.split("=");
  if (path === undefined) return { path: text, key: undefined };
  if (more.length > 0) throw new CliError("key names or file paths cannot contain '='");
  if (key === "") throw new CliError(`key name for file path ${path} missing`);
  if (path === "") throw new CliError(`file path for key name ${key} missing`);
  return { path, key };
}

const variableMessage =
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')";

/** Why a variable of a container may not have this name; undefined when it may. */
export function variableProblem(name: string): string | undefined {
  if (!/^[-._a-zA-Z][-._a-zA-Z0-9]*$/.test(name)) return variableMessage;
  if (name === "." || name === "..") return `must not be '${name}'`;
  return name.startsWith("..") ? "must not start with '..'" : undefined;
}

/** Whether a variable of a container may have this name. */
export const isVariableName = (name: string): boolean => variableProblem(name) === undefined;

const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf]);

/** The lines of a buffer, without their ends. */
function* linesOf(bytes: Buffer): Iterable<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0x0a, start);
    const line = bytes.subarray(start, end < 0 ? undefined : end);
    yield line.at(-1) === 0x0d ? line.subarray(0, -1) : line;
    start = end < 0 ? bytes.length : end + 1;
  }
}

/** The variables of a file of `--from-env-file`. A name without a value takes that of the environment, if any. */
export function envFileEntries(
  file: string,
  bytes: Buffer,
  environment: Readonly<Record<string, string | undefined>>,
): readonly DataEntry[] {
  const entries: DataEntry[] = [];
  const text = bytes.subarray(0, 3).equals(byteOrderMark) ? bytes.subarray(3) : bytes;
  let number = 0;
  for (const line of linesOf(text)) {
    number++;
    if (!isUtf8(line))
      throw new CliError(`env file ${file} contains invalid utf8 bytes at line ${number}: [${[...line].join(" ")}]`);
    const pair = line.toString().trimStart();
    if (pair === "" || pair.startsWith("#")) continue;
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    const problem = variableProblem(name);
    if (problem !== undefined) throw new CliError(`${quoted(name)} is not a valid key name: ${problem}`);
    const value = at < 0 ? environment[name] : pair.slice(at + 1);
    if (value !== undefined) entries.push([name, Buffer.from(value)]);
  }
  return entries;
}

/** `from-env-file` excludes other sources. */
export function checkSources(flags: {
  readonly fromEnvFile?: readonly string[];
  readonly fromFile?: readonly string[];
  readonly fromLiteral?: readonly string[];
}): void {
  if (flags.fromEnvFile?.length && (flags.fromFile?.length || flags.fromLiteral?.length))
    throw new CliError("from-env-file cannot be combined with from-file or from-literal");
}

const sorted = (map: ReadonlyMap<string, string>): Readonly<Record<string, string>> | undefined =>
  map.size === 0 ? undefined : Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The suffix of `--append-hash`: ten characters that cannot form words. */
function hashOf(content: Readonly<Record<string, unknown>>): string {
  const keys = Object.entries(content).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const digest = createHash("sha256")
    .update(orderedJson(Object.fromEntries(keys)))
    .digest("hex");
  const replaced: Readonly<Record<string, string>> = { "0": "g", "1": "h", "3": "k", a: "m", e: "t" };
  return [...digest.slice(0, 10)].map((c) => replaced[c] ?? c).join("");
}

/** A ConfigMap; what is not UTF-8 becomes binary data. */
export function configMap(name: string, entries: readonly DataEntry[], appendHash: boolean): GeneratedObject {
  const data = new Map<string, string>();
  const binaryData = new Map<string, string>();
  for (const [key, bytes] of entries) {
    const [problem] = validateDataKey(key, "");
    if (problem) throw new CliError(`${quoted(key)} is not a valid key name for a ConfigMap: ${detailOf(problem)}`);
    const holder = data.has(key) ? "Data" : binaryData.has(key) ? "BinaryData" : undefined;
    if (holder)
      throw new CliError(
        `cannot add key ${quoted(key)}, another key by that name already exists in ${holder} for ConfigMap ${quoted(name)}`,
      );
    if (isUtf8(bytes)) data.set(key, bytes.toString());
    else binaryData.set(key, bytes.toString("base64"));
  }
  const content = { data: sorted(data), binaryData: sorted(binaryData) };
  const object = { kind: "ConfigMap", apiVersion: "v1", metadata: { name }, ...content };
  if (!appendHash) return object;
  return withMeta(object, {
    name: `${name}-${hashOf({ kind: "ConfigMap", name, ...content, data: content.data ?? {} })}`,
  });
}

/** A Secret of a type; the server's default is Opaque. */
export function secret(
  name: string,
  entries: readonly DataEntry[],
  { type, appendHash }: { readonly type: string | undefined; readonly appendHash: boolean },
): GeneratedObject {
  const values = new Map<string, string>();
  for (const [key, bytes] of entries) {
    const [problem] = validateDataKey(key, "");
    if (problem) throw new CliError(`${quoted(key)} is not valid key name for a Secret ${detailOf(problem)}`);
    if (values.has(key)) throw new CliError(`cannot add key ${key}, another key by that name already exists`);
    values.set(key, bytes.toString("base64"));
  }
  const data = sorted(values);
  const object = { kind: "Secret", apiVersion: "v1", metadata: { name }, data, type: type || undefined };
  if (!appendHash) return object;
  return withMeta(object, {
    name: `${name}-${hashOf({ kind: "Secret", type: type ?? "", name, data: data ?? {} })}`,
  });
}
