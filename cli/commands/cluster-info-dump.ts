// orrery cluster-info dump: writes the objects and logs that are needed to find faults.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import type { ApiObject } from "../../api/meta.ts";
import { textOf } from "../client/connection.ts";
import { pathOf, query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { objectPrinter } from "../printers/output.ts";
import { list } from "../program/flag-values.ts";
import { printLine } from "../program/output.ts";
import { type ResultFlags, withOutput } from "./result.ts";

interface Flags extends ResultFlags {
  readonly output: string;
  readonly outputDirectory?: string;
  readonly namespaces?: readonly string[];
  readonly allNamespaces?: boolean;
}
/** Writes one part of the dump. */
type Write = (name: string, text: string) => Promise<void>;

const nodes = { group: "", plural: "nodes", kind: "Node" };
/** The types of a namespace, and the names of their files. */
const types: readonly (typeof nodes & { readonly file?: string })[] = [
  { group: "", plural: "events", kind: "Event" },
  { group: "", plural: "replicationcontrollers", kind: "ReplicationController", file: "replication-controllers" },
  { group: "", plural: "services", kind: "Service" },
  { group: "apps", plural: "daemonsets", kind: "DaemonSet" },
  { group: "apps", plural: "deployments", kind: "Deployment" },
  { group: "apps", plural: "replicasets", kind: "ReplicaSet" },
  { group: "", plural: "pods", kind: "Pod" },
];

/** A list whose items have their kinds. */
async function listOf<T extends ApiObject>({ api }: Session, type: typeof nodes, namespace: string | undefined) {
  const path = pathOf({ ...type, version: "v1", namespaced: namespace !== undefined }, namespace);
  const { metadata, items } = await api.get<{ readonly metadata: object; readonly items: readonly T[] }>(path);
  const apiVersion = type.group === "" ? "v1" : `${type.group}/v1`;
  const { kind } = type;
  return { kind: `${kind}List`, apiVersion, metadata, items: items.map((item) => ({ ...item, kind, apiVersion })) };
}

async function logOf({ api }: Session, { namespace, name }: Pod["metadata"], container: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/log${query({ container })}`;
  try {
    return await textOf(api.stream({ path, accept: "*/*" }, new AbortController().signal));
  } catch (error) {
    return `Request log error: ${(error as Error).message}\n`;
  }
}

async function logsOf(scope: Session, { metadata, spec }: Pod): Promise<string> {
  const texts: string[] = [];
  for (const { name } of [...(spec.initContainers ?? []), ...spec.containers]) {
    const title = `logs for container ${name} of pod ${metadata.namespace}/${metadata.name} ====\n`;
    texts.push(`==== START ${title}${await logOf(scope, metadata, name)}==== END ${title}`);
  }
  return texts.join("");
}

function writerOf(folder: string | undefined): Write {
  if (folder === undefined || folder === "-") return async (_, text) => void process.stdout.write(text);
  return async (name, text) => {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  };
}

async function namespacesOf({ api, namespace }: Session, flags: Flags): Promise<readonly string[]> {
  if (flags.allNamespaces)
    return (await api.list<ApiObject>("/api/v1/namespaces")).map(({ metadata }) => metadata.name);
  return flags.namespaces ?? ["kube-system", namespace];
}

const dump = async (flags: Flags): Promise<void> => {
  const print = await objectPrinter(flags);
  const suffix = flags.output === "yaml" ? "yaml" : "json";
  const scope = await session(flags);
  const write = writerOf(flags.outputDirectory);
  await write(`nodes.${suffix}`, print(await listOf(scope, nodes, undefined)));
  const namespaces = await namespacesOf(scope, flags);
  for (const namespace of namespaces)
    for (const type of types)
      await write(`${namespace}/${type.file ?? type.plural}.${suffix}`, print(await listOf(scope, type, namespace)));
  for (const namespace of namespaces)
    for (const pod of (await listOf<Pod>(scope, types.at(-1)!, namespace)).items)
      await write(`${namespace}/${pod.metadata.name}/logs.txt`, await logsOf(scope, pod));
  if (flags.outputDirectory && flags.outputDirectory !== "-")
    printLine(`Cluster info dumped to ${flags.outputDirectory}`);
};

/** Adds `dump` to `cluster-info`. */
export const addDump = (clusterInfo: Command): void => {
  withOutput(clusterInfo.command("dump"))
    .summary("write the objects and logs that are needed to find faults")
    .option("--output-directory <dir>", "write files below this folder instead of standard output")
    .option("--namespaces <names>", "the namespaces; by default kube-system and that of the context", list)
    .option("-A, --all-namespaces", "all namespaces")
    .option("--pod-running-timeout <time>", "accepted for scripts, without effect")
    .addHelpText("after", "\nExamples:\n  orrery cluster-info dump -A --output-directory=/tmp/dump")
    .action((flags: Flags) => dump({ ...flags, output: flags.output ?? "json" }));
};
