// orrery top: shows the CPU and memory usage of nodes and pods from the metrics API.
import type { Command } from "commander";
import type { Node, Pod } from "../../api/generated/types.ts";
import { type Instant, instantOf } from "../../api/meta.ts";
import type { NodeMetrics, PodMetrics, Usage } from "../../api/metrics/metrics.ts";
import { addAmounts } from "../../api/core/pod/pod-resources.ts";
import { milliOf, parseQuantity } from "../../api/quantity.ts";
import { CliError } from "../cli-error.ts";
import { query } from "../client/resources.ts";
import { type Session, session } from "../client/session.ts";
import { rememberingWriter, tableStyle } from "../printers/tab-writer.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";
import type { ServiceFlags } from "./top-service.ts";

interface Flags extends GlobalFlags {
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly containers?: boolean;
  readonly sum?: boolean;
  readonly sortBy?: string;
  readonly showCapacity?: boolean;
  readonly showSwap?: boolean;
  readonly headers: boolean;
}

const metrics = "/apis/metrics.k8s.io/v1beta1";
const unknown = "<unknown>";
const mebi = 1_000_000_000n * 1024n * 1024n;

const nanoOf = (amount: string | undefined): bigint => parseQuantity(amount ?? "0")?.nano ?? 0n;
const cpuText = (usage: Usage): string => `${milliOf(usage["cpu"])}m`;
const mebibytes = (amount: string | undefined): string => `${nanoOf(amount) / mebi}Mi`;
const percent = (used: bigint, of: bigint): string => (of > 0n ? `${(100n * used) / of}%` : unknown);

/** The largest first, by CPU or memory. */
const byUsage =
  (resource: string) =>
  (a: Usage, b: Usage): number => {
    const difference = nanoOf(b[resource]) - nanoOf(a[resource]);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  };
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Prints rows; each ends with an empty cell, as in kubectl. */
function print(titles: readonly string[], rows: readonly (readonly string[])[], { headers }: Flags): void {
  const lines = [...(headers ? [titles] : []), ...rows].map((row) => [...row, ""]);
  process.stdout.write(rememberingWriter(tableStyle)(lines));
}

function check(type: "node" | "pod", names: readonly string[], { sortBy, selector, fieldSelector }: Flags): void {
  if (names.length > 1)
    throw new CliError(`${type} [NAME | -l label]`, `See 'orrery top ${type} -h' for help and examples`);
  if (sortBy && sortBy !== "cpu" && sortBy !== "memory") throw new CliError("--sort-by accepts only cpu or memory");
  if (names.length > 0 && (selector || fieldSelector))
    throw new CliError(`only one of NAME or ${type === "node" ? "--selector" : "selector"} can be provided`);
}

const swapText = (amount: string | undefined, capacity: string | undefined): readonly string[] =>
  amount === undefined || capacity === undefined
    ? [unknown, unknown]
    : [mebibytes(amount), percent(nanoOf(amount), nanoOf(capacity))];

function nodeRow(node: Node, usage: Usage | undefined, flags: Flags): readonly string[] {
  const total = (flags.showCapacity ? node.status?.capacity : node.status?.allocatable) ?? {};
  const swapCapacity = node.status?.nodeInfo?.swap?.capacity;
  const swap = flags.showSwap ? swapText(usage?.["swap"], swapCapacity?.toString()) : [];
  if (usage === undefined) return [node.metadata.name, unknown, unknown, unknown, unknown, ...swap];
  return [
    node.metadata.name,
    cpuText(usage),
    percent(nanoOf(usage["cpu"]), nanoOf(total["cpu"])),
    mebibytes(usage["memory"]),
    percent(nanoOf(usage["memory"]), nanoOf(total["memory"])),
    ...swap,
  ];
}

async function nodes(names: readonly string[], flags: Flags): Promise<void> {
  check("node", names, flags);
  const { api } = await session(flags);
  const [name] = names;
  const selection = query({ labelSelector: flags.selector });
  const [usages, all] =
    name === undefined
      ? await Promise.all([
          api.list<NodeMetrics>(`${metrics}/nodes${selection}`),
          api.list<Node>(`/api/v1/nodes${selection}`),
        ])
      : await Promise.all([
          api.get<NodeMetrics>(`${metrics}/nodes/${name}`),
          api.get<Node>(`/api/v1/nodes/${name}`),
        ]).then(([usage, node]) => [[usage], [node]] as const);
  if (usages.length === 0) throw new CliError("metrics not available yet");
  const usageOf = new Map(usages.map(({ metadata, usage }) => [metadata.name, usage]));
  const compare = flags.sortBy ? byUsage(flags.sortBy) : undefined;
  const rows = all
    .toSorted((a, b) => byText(a.metadata.name, b.metadata.name))
    .toSorted((a, b) => compare?.(usageOf.get(a.metadata.name) ?? {}, usageOf.get(b.metadata.name) ?? {}) ?? 0)
    .map((node) => nodeRow(node, usageOf.get(node.metadata.name), flags));
  const swap = flags.showSwap ? ["SWAP(bytes)", "SWAP(%)"] : [];
  print(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)", ...swap], rows, flags);
}

const sumOf = (usages: readonly Usage[]): Usage => usages.reduce(addAmounts, {});
const totalOf = ({ containers }: PodMetrics): Usage => sumOf(containers.map(({ usage }) => usage));

const usageCells = (usage: Usage, { showSwap }: Flags): readonly string[] => [
  cpuText(usage),
  mebibytes(usage["memory"]),
  ...(showSwap ? [mebibytes(usage["swap"])] : []),
];

function podRows(pod: PodMetrics, flags: Flags): readonly (readonly string[])[] {
  const { name, namespace = "" } = pod.metadata;
  const first = flags.allNamespaces ? [namespace, name] : [name];
  if (!flags.containers) return [[...first, ...usageCells(totalOf(pod), flags)]];
  const compare = flags.sortBy ? byUsage(flags.sortBy) : undefined;
  return pod.containers
    .toSorted((a, b) => compare?.(a.usage, b.usage) ?? byText(a.name, b.name))
    .map((container) => [...first, container.name, ...usageCells(container.usage, flags)]);
}

function printPods(pods: readonly PodMetrics[], flags: Flags): void {
  const compare = flags.sortBy ? byUsage(flags.sortBy) : undefined;
  const key = ({ metadata }: PodMetrics): string => `${metadata.namespace}\0${metadata.name}`;
  const rows = pods
    .toSorted((a, b) => compare?.(totalOf(a), totalOf(b)) || byText(key(a), key(b)))
    .flatMap((pod) => podRows(pod, flags));
  const first = [...(flags.allNamespaces ? ["NAMESPACE"] : []), ...(flags.containers ? ["POD", "NAME"] : ["NAME"])];
  const titles = [...first, "CPU(cores)", "MEMORY(bytes)", ...(flags.showSwap ? ["SWAP(bytes)"] : [])];
  const blank = first.map(() => "");
  const rule = [...blank, ...titles.slice(first.length).map(() => "________")];
  const total = [...blank, ...usageCells(sumOf(pods.map(totalOf)), flags)];
  print(titles, [...rows, ...(flags.sum ? [rule, total] : [])], flags);
}

/** A duration as Go prints it: `1h2m3.5s`. */
function goDuration(ms: number): string {
  const [hours, minutes] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60];
  return `${hours > 0 ? `${hours}h` : ""}${minutes}m${(ms % 60_000) / 1000}s`;
}

/** Metrics of a pod exist some time after its creation. */
const delayMs = 120_000;

/** Says why there are no metrics: no pods, or pods that are not measured. */
async function explainNothing({ api, namespace }: Session, path: string, flags: Flags, now: Instant): Promise<void> {
  const pods = await api.list<Pod>(path);
  if (pods.length === 0) {
    process.stderr.write(`No resources found${flags.allNamespaces ? "" : ` in ${namespace} namespace.`}\n`);
    return;
  }
  for (const { metadata } of pods) {
    const ageMs = now - instantOf(metadata.creationTimestamp);
    if (ageMs <= delayMs) continue;
    const pod = `${metadata.namespace}/${metadata.name}`;
    throw new CliError(`Metrics not available for pod ${pod}, age: ${goDuration(ageMs)}`);
  }
  throw new CliError("metrics not available yet");
}

async function pods(names: readonly string[], flags: Flags): Promise<void> {
  check("pod", names, flags);
  if (names.length > 0 && flags.allNamespaces)
    throw new CliError("a resource cannot be retrieved by name across all namespaces");
  const scope = await session(flags);
  const { api } = scope;
  const namespaced = flags.allNamespaces ? "/pods" : `/namespaces/${scope.namespace}/pods`;
  const [name] = names;
  if (name !== undefined) {
    const path = `${metrics}/namespaces/${scope.namespace}/pods/${encodeURIComponent(name)}`;
    return printPods([await api.get<PodMetrics>(path)], flags);
  }
  const selection = query({ labelSelector: flags.selector, fieldSelector: flags.fieldSelector });
  const found = await api.list<PodMetrics>(metrics + namespaced + selection);
  if (found.length === 0) return explainNothing(scope, `/api/v1${namespaced}${selection}`, flags, clock.now());
  printPods(found, flags);
}

const withTable = (command: Command): Command =>
  command
    .option("-l, --selector <labels>", "those with these labels, such as app=web,tier!=cache")
    .option("--sort-by <resource>", "cpu or memory")
    .option("--no-headers", "without the line of column names")
    .option("--show-swap", "with the usage of swap")
    .option("--use-protocol-buffers", "accepted for scripts, and without effect");

/** Adds `top` to the program. */
export const register = (program: Command): void => {
  const top = program
    .command("top")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery top nodes\n  orrery top pods -A --sort-by=memory\n  orrery top service web --since 6h",
    );
  withTable(top.command("node [names...]").aliases(["nodes", "no"]).summary("usage of nodes"))
    .option("--show-capacity", "percentages of the capacity instead of the allocatable resources")
    .action(nodes);
  withTable(top.command("pod [names...]").aliases(["pods", "po"]).summary("usage of pods"))
    .option("-A, --all-namespaces", "pods of all namespaces")
    .option("--field-selector <fields>", "those with these fields")
    .option("--containers", "with a line for each container")
    .option("--sum", "with the sum of all rows")
    .action(pods);
  top
    .command("service [names...]")
    .aliases(["services", "svc"])
    .summary("requests, errors, latency and saturation of services over a time")
    .option("--since <duration>", "how far to look back", "1h")
    .option("-A, --all-namespaces", "services of all namespaces")
    .option("--no-headers", "without the line of column names")
    .action(async (names: readonly string[], flags: ServiceFlags) =>
      (await import("./top-service.ts")).topServices(names, flags),
    );
};
