// orrery create configmap and secret: objects made of literals and files.
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import {
  checkSources,
  configMap,
  type DataEntry,
  envFileEntries,
  fileSource,
  literalEntry,
  secret,
} from "../generators/config-data.ts";
import { checkRegistryFlags, type RegistryFlags, registryEntries, tlsEntries } from "../generators/secrets.ts";
import { list, strings } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { addGenerator, type Generator } from "./create-object.ts";

interface SourceFlags {
  readonly fromFile?: readonly string[];
  readonly fromLiteral?: readonly string[];
  readonly fromEnvFile?: readonly string[];
  readonly appendHash?: boolean;
}

const systemMessages: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
};
const systemMessage = (error: unknown): string => {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return systemMessages[code] ?? message;
};

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    throw new CliError(`error reading ${path}: ${systemMessage(error)}`);
  }
}

/** The entry of a file, or those of the regular files of a folder. */
async function fileEntries(text: string): Promise<readonly DataEntry[]> {
  const { path, key } = fileSource(text);
  if (!(await isDirectory(path))) return [[key ?? basename(path), await readFile(path)]];
  if (key !== undefined) throw new CliError("cannot give a key name for a directory path");
  const files = (await readdir(path, { withFileTypes: true })).filter((entry) => entry.isFile());
  const names = files.map(({ name }) => name).sort();
  return Promise.all(names.map(async (name): Promise<DataEntry> => [name, await readFile(join(path, name))]));
}

/** The entries of all sources. `kind` is for messages. */
async function entriesOf(flags: SourceFlags & GlobalFlags, kind: string): Promise<readonly DataEntry[]> {
  checkSources(flags);
  const files: DataEntry[] = [];
  for (const text of flags.fromFile ?? []) files.push(...(await fileEntries(text)));
  const literals = (flags.fromLiteral ?? []).map(literalEntry);
  const variables: DataEntry[] = [];
  for (const file of flags.fromEnvFile ?? []) {
    if (await isDirectory(file)) throw new CliError(`env ${kind} file cannot be a directory`);
    variables.push(...envFileEntries(file, await readFile(file), flags.environment));
  }
  return [...files, ...literals, ...variables];
}

const withSources = (command: Command): Command =>
  command
    .option("--from-file <source>", "a file, a folder, or KEY=FILE; may be repeated", list)
    .option("--from-literal <pair>", "KEY=VALUE; may be repeated", strings)
    .option("--from-env-file <file>", "a file of KEY=VALUE lines; may be repeated", list);

const withHash = (command: Command): Command =>
  command.option("--append-hash", "append a hash of the content to the name");

const configMaps: Generator<SourceFlags> = {
  name: "configmap",
  aliases: ["cm"],
  summary: "create a ConfigMap from files, folders or literals",
  plural: "configmaps",
  namespaced: true,
  failure: "failed to create configmap: ",
  examples: ["create configmap app --from-literal=level=debug --from-file=app.conf"],
  options: (command) => withHash(withSources(command)),
  generate: async ({ name, flags }) => configMap(name, await entriesOf(flags, "config"), flags.appendHash === true),
};

const secretHead = { plural: "secrets", namespaced: true, failure: "failed to create secret " };

const genericSecrets: Generator<SourceFlags & { readonly type?: string }> = {
  ...secretHead,
  name: "generic",
  summary: "create a Secret from files, folders or literals",
  examples: ["create secret generic db --from-literal=password=s3cret"],
  options: (command) => withHash(withSources(command)).option("--type <type>", "the type of the secret"),
  generate: async ({ name, flags }) =>
    secret(name, await entriesOf(flags, "secret"), { type: flags.type, appendHash: flags.appendHash === true }),
};

interface TlsFlags {
  readonly cert?: string;
  readonly key?: string;
  readonly appendHash?: boolean;
}
const pem = (path: string): Promise<Buffer> =>
  readFile(path).catch((error: unknown) => {
    throw new CliError(`Cannot read file ${path}, open ${path}: ${systemMessage(error)}`);
  });

const tlsSecrets: Generator<TlsFlags> = {
  ...secretHead,
  name: "tls",
  summary: "create a Secret of a certificate and its key",
  examples: ["create secret tls web --cert=tls.crt --key=tls.key"],
  options: (command) =>
    withHash(command)
      .option("--cert <file>", "the certificate, as PEM")
      .option("--key <file>", "its private key, as PEM"),
  generate: async ({ name, flags: { cert, key, appendHash = false } }) => {
    if (!cert || !key) throw new CliError("key and cert must be specified");
    return secret(name, tlsEntries(await pem(cert), await pem(key)), { type: "kubernetes.io/tls", appendHash });
  },
};

const registryKey = ".dockerconfigjson";

const registrySecrets: Generator<RegistryFlags & { readonly appendHash?: boolean }> = {
  ...secretHead,
  name: "docker-registry",
  summary: "create a Secret for an image registry",
  examples: [
    "create secret docker-registry reg --docker-server=reg.example.com --docker-username=me --docker-password=pw",
  ],
  options: (command) =>
    withHash(command)
      .option("--docker-username <name>", "the user")
      .option("--docker-password <password>", "the password")
      .option("--docker-email <address>", "the user's address")
      .option("--docker-server <url>", "the registry", "https://index.docker.io/v1/")
      .option("--from-file <file>", "a config.json of Docker", list),
  generate: async ({ name, flags }) => {
    checkRegistryFlags(flags);
    const files = (flags.fromFile ?? []).map((text) => (text.includes("=") ? text : `${registryKey}=${text}`));
    const entries = files.length > 0 ? (await Promise.all(files.map(fileEntries))).flat() : registryEntries(flags);
    return secret(name, entries, { type: "kubernetes.io/dockerconfigjson", appendHash: flags.appendHash === true });
  },
};

/** Adds the commands to `create`. */
export function addConfig(create: Command): void {
  addGenerator(create, configMaps);
  const group = create.command("secret").summary("create a Secret of a type");
  addGenerator(group, genericSecrets);
  addGenerator(group, tlsSecrets);
  addGenerator(group, registrySecrets);
}
