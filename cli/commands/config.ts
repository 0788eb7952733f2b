// orrery config: shows and changes kubeconfig files.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Command, Option } from "commander";
import { CliError } from "../cli-error.ts";
import { type ContextEntry, type Kubeconfig, merged, withLocatedFiles } from "../client/kubeconfig.ts";
import {
  change,
  type Entry,
  entryOf,
  fileFor,
  type KubeconfigFile,
  kubeconfigText,
  readFiles,
  type Section,
  withEntry,
  withProperty,
} from "../client/kubeconfig-edit.ts";
import { kubeconfigFiles } from "../client/kubeconfig-files.ts";
import { kubeconfigPath } from "../paths.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";
import { withOutput } from "./result.ts";
import { objectPrinter, type OutputFlags } from "../printers/output.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";

interface Flags extends GlobalFlags, OutputFlags {
  readonly merge?: boolean;
  readonly headers?: boolean;
  readonly current?: boolean;
  readonly minify?: boolean;
  readonly flatten?: boolean;
  readonly raw?: boolean;
  readonly embedCerts?: boolean;
}

const filesOf = (flags: GlobalFlags): Promise<readonly KubeconfigFile[]> =>
  readFiles(flags.clusterName ? [kubeconfigPath(flags.clusterName)] : kubeconfigFiles(flags));
const read = async (flags: GlobalFlags): Promise<Kubeconfig> =>
  merged((await filesOf(flags)).map(({ config }) => config));

const hasEntry = (section: Section, name: string) => (config: Kubeconfig) =>
  entryOf(config, section, name) !== undefined;
const hasCurrent = (config: Kubeconfig): boolean => Boolean(config["current-context"]);

async function getContexts(names: readonly string[], flags: Flags): Promise<void> {
  if (flags.output !== undefined && flags.output !== "name")
    throw new CliError(`output must be one of '' or 'name': ${flags.output}`);
  const config = await read(flags);
  const all = config.contexts.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const shown = all.filter(({ name }) => names.length === 0 || names.includes(name));
  if (flags.output === "name") for (const { name } of shown) printLine(name);
  else {
    const row = (name: string, c: ContextEntry): readonly string[] => [
      ...[config["current-context"] === name ? "*" : "", name],
      ...[c.cluster ?? "", c.user ?? "", c.namespace ?? ""],
    ];
    const header = flags.headers === false ? [] : ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"];
    const rows = shown.map((c) => row(c.name, c.context));
    process.stdout.write(rememberingWriter(tableStyle)([...(header.length > 0 ? [header] : []), ...rows]));
  }
  const missing = names.filter((name) => !all.some((c) => c.name === name));
  if (missing.length > 0) throw new CliError(missing.map((name) => `context ${name} not found`).join("\n"));
}

async function getNames(section: Section, flags: Flags): Promise<void> {
  const names = (await read(flags))[section].map(({ name }) => name).toSorted();
  printLine(["NAME", ...names].join("\n"));
}

async function currentContext(flags: Flags): Promise<void> {
  const current = (await read(flags))["current-context"];
  if (!current) throw new CliError("current-context is not set");
  printLine(current);
}

async function useContext(name: string, flags: Flags): Promise<void> {
  const files = await filesOf(flags);
  if (!files.some(({ config }) => hasEntry("contexts", name)(config)))
    throw new CliError(`no context exists with the name: "${name}"`, "See them with: orrery config get-contexts");
  change(files, hasCurrent, (config) => ({ ...config, "current-context": name }));
  printLine(`Switched to context "${name}".`);
}

/** The entry that the flags describe; false removes a field. */
const fieldsOf = (flags: GlobalFlags, names: readonly (readonly [field: string, flag: keyof GlobalFlags])[]): Entry =>
  Object.fromEntries(names.flatMap(([field, flag]) => (flags[flag] === undefined ? [] : [[field, flags[flag]]])));

/** The entry with the content of certificate files instead of their paths. */
function embedded(entry: Entry): Entry {
  return Object.fromEntries(
    Object.entries(entry).map(([field, value]) =>
      ["certificate-authority", "client-certificate", "client-key"].includes(field)
        ? [`${field}-data`, readFileSync(String(value)).toString("base64")]
        : [field, value],
    ),
  );
}

async function setEntry(section: Section, name: string, entry: Entry, flags: Flags): Promise<boolean> {
  const files = await filesOf(flags);
  const isNew = !files.some(({ config }) => hasEntry(section, name)(config));
  change(files, hasEntry(section, name), (config) =>
    withEntry(config, section, name, {
      ...entryOf(config, section, name),
      ...(flags.embedCerts ? embedded(entry) : entry),
    }),
  );
  return isNew;
}

async function setContext(contextName: string | undefined, flags: Flags): Promise<void> {
  if (contextName !== undefined && flags.current)
    throw new CliError("you cannot specify both a context name and --current");
  const name = flags.current ? (await read(flags))["current-context"] : contextName;
  if (flags.current && !name) throw new CliError("no current context is set");
  if (!name) throw new CliError("you must specify a non-empty context name or --current");
  const entry = fieldsOf(flags, [
    ["cluster", "cluster"],
    ["user", "user"],
    ["namespace", "namespace"],
  ]);
  const isNew = await setEntry("contexts", name, entry, flags);
  printLine(`Context "${name}" ${isNew ? "created" : "modified"}.`);
}

async function remove(section: Section, noun: string, name: string, flags: Flags): Promise<void> {
  const files = await filesOf(flags);
  const { file, config } = fileFor(files, hasEntry(section, name));
  if (!hasEntry(section, name)(config)) throw new CliError(`cannot delete ${noun} ${name}, not in ${file}`);
  change(files, hasEntry(section, name), (c) => withEntry(c, section, name, undefined));
  if (section === "contexts" && config["current-context"] === name)
    process.stderr.write(
      'warning: this removed your active context, use "orrery config use-context" to select a different one\n',
    );
  printLine(`deleted ${noun} ${name} from ${file}`);
}

async function rename(from: string, to: string, flags: Flags): Promise<void> {
  const files = await filesOf(flags);
  const { file, config } = fileFor(files, hasEntry("contexts", from));
  const entry = entryOf(config, "contexts", from);
  if (entry === undefined) throw new CliError(`cannot rename the context "${from}", it's not in ${file}`);
  if (files.some((f) => hasEntry("contexts", to)(f.config)))
    throw new CliError(`cannot rename the context "${from}", the context "${to}" already exists in ${file}`);
  change(files, hasEntry("contexts", from), (c) => ({
    ...withEntry(withEntry(c, "contexts", from, undefined), "contexts", to, entry),
    ...(c["current-context"] === from ? { "current-context": to } : {}),
  }));
  printLine(`Context "${from}" renamed to "${to}".`);
}

async function setProperty(path: string, value: string | undefined, flags: Flags): Promise<void> {
  const [section, name] = path.split(".");
  const has = (config: Kubeconfig): boolean =>
    section === "current-context" ? hasCurrent(config) : hasEntry(section as Section, name ?? "")(config);
  const files = await filesOf(flags);
  // Throws for an unknown property before a file is chosen.
  withProperty(files[0]!.config, path, value);
  change(files, has, (config) => withProperty(config, path, value));
  printLine(`Property "${path}" ${value === undefined ? "unset" : "set"}.`);
}

const secrets: Readonly<Record<string, string>> = {
  "certificate-authority-data": "DATA+OMITTED",
  "client-certificate-data": "DATA+OMITTED",
  "client-key-data": "DATA+OMITTED",
  token: "REDACTED",
  password: "REDACTED",
};
const redacted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, v ? (secrets[k] ?? redacted(v)) : v]));
};

/** Only what the current context uses. */
function minified(config: Kubeconfig, context: string | undefined): Kubeconfig {
  const name = context || config["current-context"];
  if (!name) throw new CliError("current-context must exist in order to minify");
  const contexts = config.contexts.filter((c) => c.name === name);
  if (contexts.length === 0) throw new CliError(`cannot locate context ${name}`);
  const { cluster, user } = contexts[0]!.context;
  return {
    contexts,
    clusters: config.clusters.filter((c) => c.name === cluster),
    users: config.users.filter((u) => u.name === user),
    "current-context": name,
  };
}

/** The merged kubeconfig without references to files. */
async function flattened(flags: Flags): Promise<Kubeconfig> {
  const configs = (await filesOf(flags)).map(({ file, config }) => {
    const { clusters, users, ...others } = withLocatedFiles(config, (path) => resolve(dirname(file), path));
    return {
      ...others,
      clusters: clusters.map((c) => ({ ...c, cluster: embedded({ ...c.cluster }) })),
      users: users.map((u) => ({ ...u, user: embedded({ ...u.user }) })),
    };
  });
  return merged(configs);
}

async function view(flags: Flags): Promise<void> {
  const format = flags.output ?? "yaml";
  const print = await objectPrinter({ ...flags, output: format });
  if (flags.merge === false && !flags.kubeconfig)
    throw new CliError("if merge==false a precise file must be specified");
  const all = flags.flatten ? await flattened(flags) : await read(flags);
  const config = flags.minify ? minified(all, flags.context) : all;
  const shown = flags.raw || flags.flatten ? config : (redacted(config) as Kubeconfig);
  if (format === "yaml") return void process.stdout.write(kubeconfigText(shown));
  const { "current-context": current = "", clusters, users, contexts } = shown;
  const value = { kind: "Config", apiVersion: "v1", clusters, users, contexts, "current-context": current };
  if (format === "json") printLine(JSON.stringify(value, null, 4));
  else process.stdout.write(print(value));
}

const userFields = [
  ["client-certificate", "clientCertificate"],
  ["client-key", "clientKey"],
  ["token", "token"],
  ["username", "username"],
  ["password", "password"],
] as const;
const clusterFields = [
  ["server", "server"],
  ["certificate-authority", "certificateAuthority"],
  ["insecure-skip-tls-verify", "insecureSkipTlsVerify"],
  ["tls-server-name", "tlsServerName"],
] as const;

function registerShowing(config: Command): void {
  withOutput(config.command("view"))
    .summary("print the merged kubeconfig, without its secrets")
    .option("--minify", "only what the current context uses")
    .option("--raw", "with certificates and secrets")
    .option("--flatten", "with the content of certificate files, so that it is complete without them")
    .addOption(new Option("--merge").hideHelp())
    .action((flags: Flags) => view(flags));
  config
    .command("get-contexts [names...]")
    .summary("list the contexts")
    .option("-o, --output <format>", "name prints the names only")
    .option("--no-headers", "without the line of column names")
    .action(getContexts);
  config.command("current-context").summary("print the current context").action(currentContext);
  config
    .command("get-clusters")
    .summary("list the clusters")
    .action((flags: Flags) => getNames("clusters", flags));
  config
    .command("get-users")
    .summary("list the users")
    .action((flags: Flags) => getNames("users", flags));
}

function registerChanging(config: Command): void {
  config.command("use-context <name>").alias("use").summary("change the current context").action(useContext);
  config
    .command("set-context [name]")
    .summary("set the cluster, user or namespace of a context, by the flags of these names")
    .option("--current", "change the current context")
    .action(setContext);
  const embed = "store the content of certificate files instead of their paths";
  config
    .command("set-cluster <name>")
    .summary("set the server and its certificate authority of a cluster")
    .option("--embed-certs", embed)
    .action(async (name: string, flags: Flags) => {
      await setEntry("clusters", name, fieldsOf(flags, clusterFields), flags);
      printLine(`Cluster "${name}" set.`);
    });
  config
    .command("set-credentials <name>")
    .summary("set the certificate, token or password of a user")
    .option("--embed-certs", embed)
    .action(async (name: string, flags: Flags) => {
      if (flags.token && (flags.username || flags.password))
        throw new CliError(
          "you cannot specify more than one authentication method at the same time: --token, --username/--password",
        );
      await setEntry("users", name, fieldsOf(flags, userFields), flags);
      printLine(`User "${name}" set.`);
    });
  config.command("rename-context <from> <to>").summary("rename a context").action(rename);
  for (const [noun, section] of [
    ["context", "contexts"],
    ["cluster", "clusters"],
    ["user", "users"],
  ] as const)
    config
      .command(`delete-${noun} <name>`)
      .summary(`delete a ${noun}`)
      .action((name: string, flags: Flags) => remove(section, noun, name, flags));
  config
    .command("set <property> <value>")
    .summary("set a property, such as contexts.web.namespace")
    .action((path: string, value: string, flags: Flags) => setProperty(path, value, flags));
  config
    .command("unset <property>")
    .summary("remove a property")
    .action((path: string, flags: Flags) => setProperty(path, undefined, flags));
}

/** Adds `config` and its subcommands to the program. */
export const register = (program: Command): void => {
  const config = program.command("config");
  registerShowing(config);
  registerChanging(config);
};
