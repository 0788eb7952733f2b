// What a command works with: a connection, the namespace, and the server's resources.
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { activityOn, type WhileShowing } from "../program/activity.ts";
import { duration } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { warn } from "../program/output.ts";
import { accessOf } from "./access.ts";
import { type ApiAccess, type Connection, connection } from "./connection.ts";
import { mapperOf } from "./discovery.ts";
import { version as clientVersion } from "../../apiserver/discovery/version.ts";
import { requestLog } from "./request-log.ts";
import { select } from "./kubeconfig.ts";
import type { FileFlags } from "./manifests.ts";
import { loadKubeconfig } from "./kubeconfig-files.ts";
import type { Scope } from "./targets.ts";

export interface Session extends Scope {
  readonly api: Connection;
  readonly whileShowing: WhileShowing;
}

type Listener = (text: string) => void;
const quietly: WhileShowing = (_, work) => work();

/** The value of `--request-timeout`. Throws CliError in kubectl's words. */
function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined || /^0+$/.test(text)) return undefined;
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  try {
    return duration(text) || undefined;
  } catch {
    throw new CliError(
      "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
    );
  }
}

/** Prints each warning once; with `--warnings-as-errors`, the command then fails at its end. */
function warningPrinter(asErrors: boolean, isQuiet: boolean): (text: string) => void {
  const printed = new Set<string>();
  return (text) => {
    if (printed.has(text)) return;
    printed.add(text);
    if (!isQuiet) warn(text);
    if (!asErrors || printed.size > 1) return;
    process.on("exit", () => {
      process.stderr.write(`error: ${printed.size} warning${printed.size === 1 ? "" : "s"} received\n`);
      process.exitCode = 1;
    });
  };
}

/** Throws CliError when the server's version is not that of the command line, for `--match-server-version`. */
async function checkVersion(api: Connection): Promise<void> {
  const { gitVersion } = await api.get<{ readonly gitVersion: string }>("/version");
  if (gitVersion !== clientVersion.gitVersion)
    throw new CliError(`server version (${gitVersion}) differs from client version (${clientVersion.gitVersion})`);
}

/** A connection that prints its requests, its warnings, or what it waits for, as the flags say. */
function connected(
  access: ApiAccess,
  flags: GlobalFlags,
  { timeoutMs, onWarning }: { readonly timeoutMs: number | undefined; readonly onWarning: Listener | undefined },
): Pick<Session, "api" | "whileShowing"> {
  const level = flags.v ?? 0;
  const isQuiet = flags.quiet === true;
  const observer = level >= 6 ? requestLog(access.server, level, (text) => process.stderr.write(text)) : undefined;
  const direct = connection(access, {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(observer ? { observer } : {}),
    onWarning: onWarning ?? warningPrinter(flags.warningsAsErrors === true, isQuiet),
  });
  // A listener has its own view of the terminal.
  const showsNothing = isQuiet || observer !== undefined || onWarning !== undefined;
  const whileShowing = showsNothing ? quietly : activityOn(process.stderr, realWorld(() => {}).clock);
  const request: Connection["request"] = (call) => whileShowing("waiting for the server", () => direct.request(call));
  const get: Connection["get"] = (path) => whileShowing("waiting for the server", () => direct.get(path));
  const list: Connection["list"] = (path) => whileShowing("waiting for the server", () => direct.list(path));
  return { api: { ...direct, request, get, list }, whileShowing };
}

/**
 * Connects as the flags and the kubeconfig say. Nothing is sent yet. Manifests are read first, so that errors in them
 * are reported whether or not there is a cluster. Warnings are printed unless a listener is set.
 */
export async function session(flags: GlobalFlags & FileFlags, onWarning?: Listener): Promise<Session> {
  if (flags.filename?.length || flags.kustomize) await (await import("./manifests.ts")).manifestsOf(flags);
  const timeoutMs = timeoutOf(flags.requestTimeout);
  const selected = select(await loadKubeconfig(flags), flags);
  const access = await accessOf(selected);
  const { api, whileShowing } = connected(access, flags, { timeoutMs, onWarning });
  if (flags.matchServerVersion) await checkVersion(api);
  return {
    api,
    whileShowing,
    namespace: selected.namespace ?? "default",
    namespaceGiven: Boolean(flags.namespace),
    mapper: mapperOf(api, flags.cacheDir),
  };
}
