// Runs the credential plugin of a kubeconfig's user. Source: client.authentication.k8s.io/v1 (KEP-541).
import { readFileSync } from "node:fs";
import { CliError } from "../cli-error.ts";
import type { ClusterEntry, ExecEntry } from "./kubeconfig.ts";

/** What a plugin returns: a token, a certificate with its key, or all of them. */
export interface ExecStatus {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
}
interface ExecCredential {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly status?: ExecStatus;
}

const group = "client.authentication.k8s.io";
const versions: readonly string[] = [`${group}/v1`, `${group}/v1beta1`];
const failure = (message: string, advice?: string): CliError => new CliError(`getting credentials: ${message}`, advice);

/** Throws CliError for an entry that no plugin can be run by. */
function checkEntry({ apiVersion, command, interactiveMode }: ExecEntry): void {
  const missing = (field: string): CliError =>
    new CliError(`Error in configuration: ${field} must be specified to use exec authentication plugin`);
  if (!command) throw missing("command");
  if (!apiVersion) throw missing("apiVersion");
  if (!versions.includes(apiVersion)) throw new CliError(`exec plugin: invalid apiVersion "${apiVersion}"`);
  if (!interactiveMode && apiVersion === versions[0]) throw missing("interactiveMode");
  if (interactiveMode && !["Never", "IfAvailable", "Always"].includes(interactiveMode))
    throw new CliError(`Error in configuration: invalid interactiveMode: "${interactiveMode}"`);
}

/** What a plugin may know of the cluster. */
function clusterInfo({ extensions = [], ...cluster }: ClusterEntry): object {
  const { "certificate-authority": file, ...rest } = cluster;
  const data = file && !rest["certificate-authority-data"] ? readFileSync(file).toString("base64") : undefined;
  const config = extensions.find(({ name }) => name === `${group}/exec`)?.extension;
  return { ...rest, ...(data && { "certificate-authority-data": data }), ...(config !== undefined && { config }) };
}

/** The credentials in a plugin's output. Throws CliError in kubectl's words. */
export function credentialsIn(output: string, apiVersion: string | undefined): ExecStatus {
  let parsed: ExecCredential;
  try {
    parsed = JSON.parse(output) as ExecCredential;
  } catch (e) {
    throw failure(`decoding stdout: couldn't get version/kind; json parse error: ${(e as Error).message}`);
  }
  if (parsed.apiVersion !== apiVersion)
    throw failure(
      `exec plugin is configured to use API version ${apiVersion}, plugin returned version ${parsed.apiVersion ?? ""}`,
    );
  const { status } = parsed;
  if (!status) throw failure("exec plugin didn't return a status field");
  const { token, clientCertificateData: certificate, clientKeyData: key } = status;
  if (!token && !certificate && !key) throw failure("exec plugin didn't return a token or cert/key pair");
  if (Boolean(certificate) !== Boolean(key)) throw failure("exec plugin returned only certificate or key, not both");
  return status;
}

/**
 * Runs the plugin. It reads from the terminal where its mode and the terminal allow it, and writes its errors there.
 * Credentials are used by this process only, so none are kept until they expire.
 */
export async function execCredentials(exec: ExecEntry, cluster: ClusterEntry): Promise<ExecStatus> {
  checkEntry(exec);
  const { spawn } = await import("node:child_process");
  const { apiVersion, command, interactiveMode = "IfAvailable" } = exec;
  const isTerminal = process.stdin.isTTY === true;
  if (interactiveMode === "Always" && !isTerminal)
    throw failure("exec plugin cannot support interactive mode: standard input is not a terminal");
  const interactive = interactiveMode !== "Never" && isTerminal;
  const spec = { interactive, ...(exec.provideClusterInfo && { cluster: clusterInfo(cluster) }) };
  const info = JSON.stringify({ kind: "ExecCredential", apiVersion, spec });
  const assignments = (exec.env ?? []).map(({ name, value }) => `${name}=${value}`);
  const args = [`KUBERNETES_EXEC_INFO=${info}`, ...assignments, command, ...(exec.args ?? [])];
  const child = spawn("env", args, { stdio: [interactive ? "inherit" : "ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  const code = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve(status ?? 1));
  });
  if (code === 127) throw failure(`exec: executable ${command} not found`, exec.installHint);
  if (code !== 0) throw failure(`exec: executable ${command} failed with exit code ${code}`, exec.installHint);
  return credentialsIn(output, apiVersion);
}
