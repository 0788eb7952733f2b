// What a command works with: a connection, the namespace, and the server's resources.
import type { IncomingMessage } from "node:http";
import { CliError } from "../cli-error.ts";
import { duration } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { warn } from "../program/output.ts";
import { accessOf } from "./access.ts";
import { type ApiRequest, type Connection, connection } from "./connection.ts";
import { mapperOf } from "./discovery.ts";
import { version as clientVersion } from "../../apiserver/discovery/version.ts";
import { select } from "./kubeconfig.ts";
import type { FileFlags } from "./manifests.ts";
import { loadKubeconfig } from "./kubeconfig-files.ts";
import type { Scope } from "./targets.ts";

export interface Session extends Scope {
  readonly api: Connection;
}

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

/** Prints requests as client-go does: from level 6 the line, from 7 the headers, from 8 the bodies sent. */
const printRequest =
  (server: string, level: number) =>
  ({ method = "GET", path, body }: ApiRequest, response: IncomingMessage, milliseconds: number): void => {
    const status = `${response.statusCode} ${response.statusMessage}`;
    process.stderr.write(
      `"Response" verb="${method}" url="${server}${path}" status="${status}" milliseconds=${milliseconds}\n`,
    );
    if (level >= 8 && body !== undefined) process.stderr.write(`"Request Body" body=${JSON.stringify(body)}\n`);
    if (level >= 7)
      for (const [name, value] of Object.entries(response.headers)) process.stderr.write(`    ${name}: ${value}\n`);
  };

/** Prints each warning once; with `--warnings-as-errors`, the command then fails at its end. */
function warningPrinter(asErrors: boolean): (text: string) => void {
  const printed = new Set<string>();
  return (text) => {
    if (printed.has(text)) return;
    printed.add(text);
    warn(text);
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

/**
 * Connects as the flags and the kubeconfig say. Nothing is sent yet. Manifests are read first, so that errors in them
 * are reported whether or not there is a cluster. Warnings are printed unless a listener is set.
 */
export async function session(
  flags: GlobalFlags & FileFlags,
  onWarning?: (text: string) => void,
): Promise<Session> {
  if (flags.filename?.length || flags.kustomize) await (await import("./manifests.ts")).manifestsOf(flags);
  const timeoutMs = timeoutOf(flags.requestTimeout);
  const selected = select(await loadKubeconfig(flags), flags);
  const access = await accessOf(selected);
  const level = flags.v ?? 0;
  const api = connection(access, {
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(level >= 6 ? { observer: printRequest(access.server, level) } : {}),
    onWarning: onWarning ?? warningPrinter(flags.warningsAsErrors === true),
  });
  if (flags.matchServerVersion) await checkVersion(api);
  return {
    api,
    namespace: selected.namespace ?? "default",
    namespaceGiven: Boolean(flags.namespace),
    mapper: mapperOf(api, flags.cacheDir),
  };
}
