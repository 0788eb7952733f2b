// orrery logs: prints or follows the logs of containers.
import { type Command, Option } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import { ApiError } from "../../api/errors.ts";
import { CliError } from "../cli-error.ts";
import { chosenContainer, containersOf } from "../client/chosen-container.ts";
import { logOf } from "../client/pod-log.ts";
import { podsMatching, podsOf } from "../client/pods-of.ts";
import { type Session, session } from "../client/session.ts";
import { targetsOf } from "../client/targets.ts";
import { duration, integer } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { interruption } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly selector?: string;
  readonly container: string;
  readonly allContainers?: boolean;
  readonly allPods?: boolean;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly prefix?: boolean;
  readonly timestamps?: boolean;
  readonly ignoreErrors?: boolean;
  readonly insecureSkipTlsVerifyBackend?: boolean;
  readonly tail: number;
  readonly since: number;
  readonly sinceTime?: string;
  readonly limitBytes: number;
  readonly maxLogRequests: number;
  readonly podRunningTimeout: number;
}
interface Source {
  readonly pod: Pod;
  readonly container: string;
}

const usage = `expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.
POD or TYPE/NAME is a required argument for the logs command`;
const help = "See 'orrery logs -h' for help and examples";

/** Checks arguments and flags. Throws CliError in kubectl's words; nothing has been sent. */
function check(args: readonly string[], flags: Flags): void {
  if (args.length > 2 || (args.length === 0 && !flags.selector)) throw new CliError(usage, help);
  if (args.length > 0 && flags.selector) throw new CliError("only a selector (-l) or a POD name is allowed", help);
  if (args.length === 2 && flags.container)
    throw new CliError("only one of -c or an inline [CONTAINER] arg is allowed");
  const container = args[1] ?? flags.container;
  if (flags.allContainers && container)
    throw new CliError(`--all-containers=true should not be specified with container name ${container}`);
  if (flags.since !== 0 && flags.sinceTime)
    throw new CliError("at most one of `sinceTime` or `sinceSeconds` may be specified");
  if (flags.since < 0) throw new CliError("--since must be greater than 0");
  if (flags.sinceTime && Number.isNaN(Date.parse(flags.sinceTime)))
    throw new CliError(`"${flags.sinceTime}" is not a time`, "For example: --since-time=2026-01-31T12:00:00Z");
  if (flags.tail < -1) throw new CliError("--tail must be greater than or equal to -1");
  if (flags.limitBytes < 0) throw new CliError("--limit-bytes must be greater than 0");
  if (flags.maxLogRequests < 1) throw new CliError("--max-log-requests must be greater than 0");
  if (flags.podRunningTimeout <= 0) throw new CliError("--pod-running-timeout must be higher than zero");
}

function sourcesOf(pods: readonly Pod[], container: string | undefined, flags: Flags): readonly Source[] {
  return pods.flatMap((pod) => {
    if (flags.allContainers) return containersOf(pod).map((name) => ({ pod, container: name }));
    const { name, notice } = chosenContainer(pod, container);
    if (notice && !flags.allPods) process.stderr.write(`${notice}\n`);
    return [{ pod, container: name }];
  });
}

/** The pods whose logs are meant. */
async function podsFor(scope: Session, what: string | undefined, flags: Flags): Promise<readonly Pod[]> {
  if (what === undefined) return podsMatching(scope.api, scope.namespace, flags.selector!);
  const [target] = await targetsOf(scope, [what], {}, { defaultType: "pods" });
  const choice = { purpose: "get the logs from", prefersRestarted: true, timeoutMs: flags.podRunningTimeout };
  const pods = await podsOf(scope, target!, choice).catch((error: unknown) => {
    if (!(error instanceof ApiError)) throw error;
    const where = target!.namespace === undefined ? "" : ` in namespace "${target!.namespace}"`;
    throw new CliError(`error from server (${error.reason}): ${error.message}${where}`);
  });
  if (flags.allPods) return pods;
  if (pods.length > 1) process.stderr.write(`Found ${pods.length} pods, using pod/${pods[0]!.metadata.name}\n`);
  return pods.slice(0, 1);
}

/** Copies a log to standard output: lines with the prefix, or unchanged bytes without one. */
async function copy({ api }: Session, { pod, container }: Source, flags: Flags, signal: AbortSignal): Promise<void> {
  const { namespace, name } = pod.metadata;
  // Of several pods, the last lines only.
  const tail = flags.tail === -1 && flags.selector ? 10 : flags.tail;
  const parameters = {
    follow: flags.follow,
    previous: flags.previous,
    tailLines: tail < 0 ? undefined : tail,
    sinceSeconds: flags.since > 0 ? Math.ceil(flags.since / 1000) : undefined,
    sinceTime: flags.sinceTime,
    limitBytes: flags.limitBytes > 0 ? flags.limitBytes : undefined,
    timestamps: flags.timestamps,
    insecureSkipTLSVerifyBackend: flags.insecureSkipTlsVerifyBackend,
  };
  const source = { namespace: namespace!, pod: name, container };
  const prefix = flags.prefix || flags.allPods ? `[pod/${name}/${container}] ` : "";
  let atLineStart = true;
  for await (const chunk of logOf(api, source, parameters, signal)) {
    if (prefix === "") process.stdout.write(chunk);
    else
      for (const line of chunk.toString("utf8").split(/(?<=\n)/)) {
        process.stdout.write((atLineStart ? prefix : "") + line);
        atLineStart = line.endsWith("\n");
      }
  }
}

const logs = async (args: readonly string[], flags: Flags): Promise<void> => {
  check(args, flags);
  const scope = await session(flags);
  const [what, container] = args;
  const pods = await podsFor(scope, what, flags);
  if (pods.length === 0) process.stderr.write(`No resources found in ${scope.namespace} namespace.\n`);
  const sources = sourcesOf(pods, container ?? (flags.container || undefined), flags);
  if (flags.follow && sources.length > flags.maxLogRequests)
    throw new CliError(
      `you are attempting to follow ${sources.length} log streams, but maximum allowed concurrency is ${flags.maxLogRequests}, use --max-log-requests to increase the limit`,
    );
  const signal = interruption();
  const one = (source: Source): Promise<void> =>
    copy(scope, source, flags, signal).catch((error: unknown) => {
      if (!flags.ignoreErrors) throw error;
      process.stderr.write(`error: ${(error as Error).message}\n`);
    });
  if (flags.follow) await Promise.all(sources.map(one));
  else for (const source of sources) await one(source);
};

/** Adds `logs` to the program. */
export const register = (program: Command): void => {
  program
    .command("logs [args...]")
    .usage("[options] (POD | TYPE/NAME) [CONTAINER]")
    .option("-f, --follow", "print new lines as they are written")
    .option("-c, --container <name>", "the container; by default the first, or that of an annotation", "")
    .option("--all-containers", "all containers of the pod")
    .option("--all-pods", "all pods of the workload")
    .option("-p, --previous", "the log of the container's previous run")
    .option("--tail <lines>", "only the last lines; -1 for all, and 10 by default with -l", integer, -1)
    .option("--since <duration>", "only lines younger than this, such as 30s, 5m or 2h", duration, 0)
    .option("--since-time <time>", "only lines after this time (RFC 3339)")
    .option("--limit-bytes <bytes>", "at most so many bytes", integer, 0)
    .option("--timestamps", "with the time of each line")
    .option("--prefix", "with the pod and the container before each line")
    .option("-l, --selector <labels>", "the logs of all pods with these labels")
    .option("--max-log-requests <n>", "how many logs may be followed at once", integer, 5)
    .option("--ignore-errors", "continue when one of several logs cannot be read")
    .option("--pod-running-timeout <duration>", "how long to wait for the first pod", duration, 20_000)
    .addOption(new Option("--insecure-skip-tls-verify-backend", "do not check the kubelet's certificate"))
    .addHelpText(
      "after",
      "\nExamples:\n  orrery logs web-1 -f\n  orrery logs deploy/web --tail 20\n  orrery logs -l app=web --since 5m",
    )
    .action(logs);
};
