// orrery drain: marks nodes as unschedulable and evicts their pods.
import type { Command } from "commander";
import { hasReason } from "../../api/errors.ts";
import type { Node, Pod } from "../../api/generated/types.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { pathOf, query } from "../client/resources.ts";
import type { Session } from "../client/session.ts";
import { type DrainFlags, evictablePods } from "../generators/evictable-pods.ts";
import { duration, integer } from "../program/flag-values.ts";
import { printLine, warn } from "../program/output.ts";
import { clock } from "./cluster-option.ts";
import { type DryRun, dryRunSuffix } from "./dry-run.ts";
import { type NodeFlags, nodesOf, setSchedulable, withNodes } from "./node-scheduling.ts";

interface Flags extends NodeFlags, DrainFlags {
  readonly podSelector?: string;
  readonly gracePeriod: number;
  readonly timeout: number;
  readonly disableEviction?: boolean;
}
interface Drain {
  readonly scope: Session;
  readonly flags: Flags;
  readonly dryRun: DryRun;
  /** When the drain gives up; infinite without `--timeout`. */
  readonly deadline: number;
}
const podResource = { group: "", version: "v1", plural: "pods", namespaced: true };
const retryMs = 5000;

const pathTo = ({ metadata }: Pod): string => pathOf(podResource, metadata.namespace, metadata.name);

/** Sends an eviction, or a deletion with `--disable-eviction`. */
async function requestRemoval({ scope: { api }, flags, dryRun }: Drain, pod: Pod): Promise<void> {
  // A server that reads options from a body ignores those of the query.
  const deleteOptions = {
    ...(flags.gracePeriod < 0 ? {} : { gracePeriodSeconds: flags.gracePeriod }),
    ...(dryRun === "server" ? { dryRun: ["All"] } : {}),
  };
  if (flags.disableEviction) {
    await api.request({ method: "DELETE", path: pathTo(pod), body: deleteOptions });
    return;
  }
  const { name, namespace } = pod.metadata;
  const parameters = query({ dryRun: dryRun === "server" ? "All" : undefined });
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace }, deleteOptions };
  await api.request({ method: "POST", path: `${pathTo(pod)}/eviction${parameters}`, body });
}

/** Removes a pod; retries while a disruption budget forbids the eviction. */
async function remove(drain: Drain, pod: Pod): Promise<void> {
  const { name, namespace } = pod.metadata;
  for (;;) {
    if (!drain.flags.disableEviction) printLine(`evicting pod ${namespace}/${name}${dryRunSuffix(drain.dryRun)}`);
    try {
      return await requestRemoval(drain, pod);
    } catch (error) {
      if (hasReason(error, "NotFound")) return;
      if (!hasReason(error, "TooManyRequests"))
        throw new CliError(`error when evicting pods/"${name}" -n "${namespace}": ${(error as Error).message}`);
      process.stderr.write(
        `error when evicting pods/"${name}" -n "${namespace}" (will retry after 5s): ${(error as Error).message}\n`,
      );
    }
    if (clock.now() + retryMs > drain.deadline)
      throw new CliError(`error when evicting pods/"${name}" -n "${namespace}": global timeout reached`);
    await clock.sleep(retryMs);
  }
}

async function untilGone({ scope: { api }, deadline, flags }: Drain, pod: Pod): Promise<void> {
  const { name, namespace, uid } = pod.metadata;
  for (;;) {
    try {
      if ((await api.get<ApiObject>(pathTo(pod))).metadata.uid !== uid) break;
    } catch (error) {
      if (hasReason(error, "NotFound")) break;
      throw error;
    }
    if (clock.now() > deadline)
      throw new CliError(
        `error when waiting for pod "${name}" in namespace "${namespace}" to terminate: context deadline exceeded`,
      );
    await clock.sleep(200);
  }
  printLine(`pod/${name} ${flags.disableEviction ? "deleted" : "evicted"}`);
}

/** Evicts the pods of a node. Returns errors as texts. */
async function drainNode(drain: Drain, node: Node): Promise<readonly string[]> {
  const { scope, flags, dryRun } = drain;
  const { name } = node.metadata;
  const selection = query({ fieldSelector: `spec.nodeName=${name}`, labelSelector: flags.podSelector || undefined });
  const all = await scope.api.list<Pod>(pathOf(podResource, undefined) + selection);
  const { pods, warnings, errors } = evictablePods(all, flags, clock.now());
  if (errors.length > 0) return errors;
  if (warnings.length > 0) warn(warnings.join("; "));
  const removals = pods.map(async (pod) => {
    if (dryRun === "client") {
      if (!flags.disableEviction) printLine(`evicting pod ${pod.metadata.namespace}/${pod.metadata.name} (dry run)`);
      return;
    }
    await remove(drain, pod);
    if (dryRun === "none") await untilGone(drain, pod);
  });
  const failed = (await Promise.allSettled(removals)).flatMap((outcome) =>
    outcome.status === "rejected" ? [(outcome.reason as Error).message] : [],
  );
  if (failed.length === 0) return [];
  process.stderr.write(`There are pending pods in node "${name}" when an error occurred: ${joined(failed)}\n`);
  for (const pod of pods) process.stderr.write(`pod/${pod.metadata.name}\n`);
  return failed;
}

const joined = (texts: readonly string[]): string => (texts.length === 1 ? texts[0]! : `[${texts.join(", ")}]`);

const drain = async (args: readonly string[], flags: Flags): Promise<void> => {
  if (flags.podSelector && "wrong" in parseLabelSelector(flags.podSelector))
    throw new CliError("--pod-selector=<pod_selector> must be a valid label selector");
  const { scope, nodes, dryRun } = await nodesOf("drain", args, flags);
  for (const node of nodes) await setSchedulable(scope, node, false, dryRun);
  const deadline = flags.timeout > 0 ? clock.now() + flags.timeout : Number.POSITIVE_INFINITY;
  const pending: string[] = [];
  const errors: string[] = [];
  for (const node of nodes) {
    const { name } = node.metadata;
    const failed = await drainNode({ scope, flags, dryRun, deadline }, node);
    if (failed.length === 0) {
      printLine(`node/${name} drained${dryRunSuffix(dryRun)}`);
      continue;
    }
    process.stderr.write(
      `error: unable to drain node "${name}" due to error: ${joined(failed)}, continuing command...\n`,
    );
    pending.push(` ${name}`);
    errors.push(...failed);
  }
  if (errors.length > 0)
    throw new CliError(["There are pending nodes to be drained:", ...pending, ...errors].join("\n"), undefined, {
      isBare: true,
    });
};

/** Adds `drain` to the program. */
export const register = (program: Command): void => {
  withNodes(program.command("drain [nodes...]"))
    .option("--ignore-daemonsets", "do not evict the pods of DaemonSets")
    .option("--delete-emptydir-data", "evict pods with an emptyDir, whose data is lost")
    .option("--force", "evict pods without a controller, which are not replaced")
    .option("--pod-selector <labels>", "only pods with these labels")
    .option("--grace-period <seconds>", "how long pods may take to end; -1 is the pod's own", integer, -1)
    .option("--timeout <time>", "how long to try, such as 5m; 0 tries forever", duration, 0)
    .option("--disable-eviction", "delete pods, without regard to disruption budgets")
    .option(
      "--skip-wait-for-delete-timeout <seconds>",
      "do not wait for pods that were deleted longer ago than this",
      integer,
      0,
    )
    .option("--chunk-size <n>", "how many pods to read at once", integer, 500)
    .addHelpText("after", "\nExamples:\n  orrery drain worker-1 --ignore-daemonsets --delete-emptydir-data")
    .action(drain);
};
