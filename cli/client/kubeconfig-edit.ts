// Changes kubeconfig files: entries, single properties, and the context of a cluster of Orrery.
import { chmodSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { stringify } from "yaml";
import { CliError } from "../cli-error.ts";
import { emptyKubeconfig, type Kubeconfig } from "./kubeconfig.ts";
import { readKubeconfig } from "./kubeconfig-files.ts";

/** The lists of a kubeconfig, and the field of their items. */
export const sections = { clusters: "cluster", contexts: "context", users: "user" } as const;
export type Section = keyof typeof sections;

export type Entry = Readonly<Record<string, unknown>>;
interface NamedEntry {
  readonly name: string;
  readonly [field: string]: unknown;
}

/** The text of a kubeconfig, as kubectl writes it: entries and fields by name. */
export function kubeconfigText(config: Kubeconfig): string {
  const byName = (entries: readonly { readonly name: string }[]): readonly object[] =>
    entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const value = {
    apiVersion: "v1",
    ...config,
    clusters: byName(config.clusters),
    contexts: byName(config.contexts),
    users: byName(config.users),
    "current-context": config["current-context"] ?? "",
    kind: "Config",
  };
  return stringify(value, { sortMapEntries: true, indentSeq: false, lineWidth: 0 });
}

/** Writes a kubeconfig atomically, for its owner only. */
function writeKubeconfig(file: string, config: Kubeconfig): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, kubeconfigText(config), { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
}

/** The entry of a name, without the name. */
export const entryOf = (config: Kubeconfig, section: Section, name: string): Entry | undefined =>
  (config[section] as readonly NamedEntry[]).find((e) => e.name === name)?.[sections[section]] as Entry | undefined;

/** A kubeconfig with this entry; undefined removes it. */
export function withEntry(config: Kubeconfig, section: Section, name: string, entry: Entry | undefined): Kubeconfig {
  const others = (config[section] as readonly NamedEntry[]).filter((e) => e.name !== name);
  return { ...config, [section]: entry === undefined ? others : [...others, { name, [sections[section]]: entry }] };
}

/** A file and its content. */
export interface KubeconfigFile {
  readonly file: string;
  readonly config: Kubeconfig;
}

/** The files of a command, in the order of their precedence. Missing ones are empty. */
export const readFiles = (files: readonly string[]): Promise<readonly KubeconfigFile[]> =>
  Promise.all(files.map(async (file) => ({ file, config: (await readKubeconfig(file)) ?? emptyKubeconfig })));

/** The file to change: the one that has what is changed, or else the last that exists, or else the first. */
export const fileFor = (files: readonly KubeconfigFile[], has: (config: Kubeconfig) => boolean): KubeconfigFile =>
  files.find(({ config }) => has(config)) ?? files.findLast(({ file }) => existsSync(file)) ?? files[0]!;

/** Changes the file that has what is changed. */
export function change(
  files: readonly KubeconfigFile[],
  has: (config: Kubeconfig) => boolean,
  update: (config: Kubeconfig) => Kubeconfig,
): void {
  const { file, config } = fileFor(files, has);
  writeKubeconfig(file, update(config));
}

/** Fields whose values are not texts. */
const booleans = ["insecure-skip-tls-verify", "disable-compression"];

/** Sets a property such as `contexts.web.namespace`, or removes it when the value is undefined. */
export function withProperty(config: Kubeconfig, path: string, value: string | undefined): Kubeconfig {
  const [first = "", ...rest] = path.split(".");
  if (first === "current-context" && rest.length === 0) return { ...config, "current-context": value ?? "" };
  if (!(first in sections)) throw new CliError(`unable to parse ${path} after [] at api.Config`);
  const section = first as Section;
  // What does not exist counts as removed.
  if (value === undefined && rest.length === 0) return { ...config, [section]: [] };
  if (value === undefined && rest.length === 1) return withEntry(config, section, rest[0]!, undefined);
  const field = rest.at(-1);
  // Names may contain dots; fields do not.
  const isWhole = value === undefined && entryOf(config, section, rest.join(".")) !== undefined;
  const name = isWhole ? rest.join(".") : rest.slice(0, -1).join(".");
  if (name === "" || field === undefined) throw new CliError(`unable to parse ${path} after [${first}] at api.Config`);
  if (isWhole) return withEntry(config, section, name, undefined);
  const { [field]: _, ...others } = entryOf(config, section, name) ?? {};
  const typed = booleans.includes(field) ? value === "true" : value;
  return withEntry(config, section, name, value === undefined ? others : { ...others, [field]: typed });
}

/** Adds a cluster's entries to a kubeconfig file and makes its context the current one, as kind does. */
export async function addContext(file: string, own: Kubeconfig): Promise<void> {
  const config = (await readKubeconfig(file)) ?? emptyKubeconfig;
  const names = new Set([...own.clusters, ...own.contexts, ...own.users].map(({ name }) => name));
  const others = <T extends { readonly name: string }>(entries: readonly T[]): readonly T[] =>
    entries.filter(({ name }) => !names.has(name));
  writeKubeconfig(file, {
    ...config,
    clusters: [...others(config.clusters), ...own.clusters],
    contexts: [...others(config.contexts), ...own.contexts],
    users: [...others(config.users), ...own.users],
    "current-context": own["current-context"] ?? "",
  });
}

/** Removes a cluster's entries from a kubeconfig file, if it has them and they are of that server. */
export async function removeContext(file: string, name: string): Promise<void> {
  const config = await readKubeconfig(file);
  if (config === undefined || !config.clusters.some((c) => c.name === name)) return;
  const others = <T extends { readonly name: string }>(entries: readonly T[]): readonly T[] =>
    entries.filter((e) => e.name !== name);
  writeKubeconfig(file, {
    ...config,
    clusters: others(config.clusters),
    contexts: others(config.contexts),
    users: others(config.users),
    "current-context": config["current-context"] === name ? "" : (config["current-context"] ?? ""),
  });
}
