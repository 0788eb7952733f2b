// orrery logs: prints or follows the logs of containers.
import type { Command } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import { containerOf, podsMatching, podsOf } from "../client/pods-of.ts";
import { CliError } from "../cli-error.ts";
import type { Connection } from "../client/connection.ts";
import { interruption } from "./cluster-option.ts";
import { query } from "../client/resources.ts";
import { session } from "../client/session.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags {
  readonly selector?: string;
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly tail?: string;
  readonly since?: string;
  readonly timestamps?: boolean;
}
interface Source {
  readonly pod: Pod;
  readonly container: string;
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit] = /^(\d+)([smh])$/.exec(text) ?? [];
  if (amount === undefined) throw new CliError(`"${text}" is no length of time`, "For example: 30s, 5m or 2h");
  return Number(amount) * units[unit!]!;
}

function sourcesOf(pods: readonly Pod[], flags: Flags): readonly Source[] {
  return pods.flatMap((pod) => {
    if (!flags.allContainers) return [{ pod, container: containerOf(pod, flags.container) }];
    return [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((c) => ({ pod, container: c.name }));
  });
}

/** Copies a log to standard output: lines with the prefix, or unchanged bytes without one. */
async function copy(
  api: Connection,
  { pod, container }: Source,
  flags: Flags,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const parameters = {
    container,
    follow: flags.follow,
    previous: flags.previous,
    tailLines: flags.tail,
    sinceSeconds: secondsOf(flags.since),
    timestamps: flags.timestamps,
  };
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/log${query(parameters)}`;
  let atLineStart = true;
  for await (const chunk of api.stream({ path, accept: "*/*" }, signal)) {
    if (prefix === "") process.stdout.write(chunk);
    else
      for (const line of chunk.toString("utf8").split(/(?<=\n)/)) {
        process.stdout.write((atLineStart ? prefix : "") + line);
        atLineStart = line.endsWith("\n");
      }
  }
}

const logs = async (what: string | undefined, flags: Flags): Promise<void> => {
  if (what === undefined && !flags.selector)
    throw new CliError(
      "say whose logs",
      "For example: orrery logs web-1, orrery logs deploy/web or orrery logs -l app=web",
    );
  const scope = await session(flags);
  const { api } = scope;
  const pods =
    what === undefined
      ? await podsMatching(api, scope.namespace, flags.selector!)
      : (await podsOf(scope, what)).slice(0, 1);
  const sources = sourcesOf(pods, flags);
  if (sources.length === 0) process.stderr.write("No pods found.\n");
  const signal = interruption();
  const prefixOf = ({ pod, container }: Source): string =>
    sources.length > 1 ? `[${pod.metadata.name}/${container}] ` : "";
  if (flags.follow) await Promise.all(sources.map((s) => copy(api, s, flags, prefixOf(s), signal)));
  else for (const s of sources) await copy(api, s, flags, prefixOf(s), signal);
};

/** Adds `logs` to the program. */
export const register = (program: Command): void => {
  program
    .command("logs [pod]")
    .summary("show what containers wrote")
    .option("-f, --follow", "go on as more is written")
    .option("-c, --container <name>", "which container")
    .option("--all-containers", "every container")
    .option("-p, --previous", "of the container's life before this one")
    .option("--tail <lines>", "only the last lines")
    .option("--since <time>", "only from so long ago, such as 30s, 5m or 2h")
    .option("--timestamps", "say when each line was written")
    .option("-l, --selector <labels>", "of all pods with these labels")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery logs web-1 -f\n  orrery logs deploy/web --tail 20\n  orrery logs -l app=web --since 5m",
    )
    .action(logs);
};
