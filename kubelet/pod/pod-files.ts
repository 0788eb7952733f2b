// The files of a pod besides its volumes: hosts, resolv.conf, host name and termination logs.
import { chmod, mkdir, open, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Container, Pod } from "../../api/generated/types.ts";
import type { ContainerRuntime, Mount, RuntimeContainer } from "../runtime.ts";
import { podFolder } from "../volumes/paths.ts";
import { containerNamed } from "../podspec/containers.ts";
import type { Ended } from "./runs.ts";
import { hostnameOf, hostsFile, type NameSettings, resolvConf } from "../podspec/names-and-dns.ts";

/** Limits of termination messages, as in the API reference. */
const terminationMessageBytes = 4_096;
const logTailBytes = 2_048;
const logTailLines = 80;
const logTimeoutMs = 5_000;

export async function nameSettings(clusterDns: string, clusterDomain: string): Promise<NameSettings> {
  const text = (path: string): Promise<string> => readFile(path, "utf8").catch(() => "");
  const [nodeResolvConf, nodeHosts] = await Promise.all([text("/etc/resolv.conf"), text("/etc/hosts")]);
  return { clusterDns, clusterDomain, nodeResolvConf, nodeHosts };
}

/** Writes the pod's name files and returns their mounts, except where the container mounts a volume at the path. */
export async function nameMounts(
  stateDir: string,
  pod: Pod,
  c: Container,
  more: { readonly ip: string | undefined; readonly settings: NameSettings },
): Promise<readonly Mount[]> {
  const folder = podFolder(stateDir, pod.metadata.uid);
  await mkdir(folder, { recursive: true });
  const files: readonly (readonly [file: string, target: string, text: string])[] = [
    ["etc-hosts", "/etc/hosts", hostsFile(pod, more.ip, more.settings)],
    ["resolv.conf", "/etc/resolv.conf", resolvConf(pod, more.settings)],
    ...(pod.spec.hostNetwork ? [] : ([["hostname", "/etc/hostname", `${hostnameOf(pod)}\n`]] as const)),
  ];
  const own = new Set((c.volumeMounts ?? []).map((m) => m.mountPath));
  const missing = files.filter(([, target]) => !own.has(target));
  await Promise.all(missing.map(([file, , text]) => writeFile(join(folder, file), text)));
  return missing.map(([file, target]) => ({ source: join(folder, file), target, readOnly: false }));
}

const terminationLogPath = (stateDir: string, run: Pick<RuntimeContainer, "pod" | "name" | "attempt">): string =>
  join(podFolder(stateDir, run.pod.uid), "containers", run.name, String(run.attempt));

/** Makes the empty file that the container may write its termination message to. */
export async function terminationLogMount(
  stateDir: string,
  c: Container,
  run: Pick<RuntimeContainer, "pod" | "name" | "attempt">,
): Promise<Mount> {
  const source = terminationLogPath(stateDir, run);
  await mkdir(dirname(source), { recursive: true });
  await writeFile(source, "");
  // Set after the creation, where the umask has no effect: the container's user may be unprivileged.
  await chmod(source, 0o666);
  return { source, target: c.terminationMessagePath || "/dev/termination-log", readOnly: false };
}

async function readTerminationLog(stateDir: string, run: RuntimeContainer): Promise<string> {
  const file = await open(terminationLogPath(stateDir, run)).catch(() => undefined);
  if (file === undefined) return "";
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(terminationMessageBytes), 0, terminationMessageBytes, 0);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

async function readLogTail(runtime: ContainerRuntime, run: RuntimeContainer): Promise<string> {
  const kept: Uint8Array[] = [];
  const options = { follow: false, timestamps: false, tail: logTailLines };
  for await (const data of runtime.logs(run.id, options, AbortSignal.timeout(logTimeoutMs))) kept.push(data);
  return Buffer.concat(kept).subarray(-logTailBytes).toString();
}

/** The termination message: the container's file or, after a failure and by its policy, the end of its log. */
export async function terminationMessage(
  { stateDir, runtime }: { readonly stateDir: string; readonly runtime: ContainerRuntime },
  pod: Pod | undefined,
  run: Ended,
): Promise<string> {
  const written = await readTerminationLog(stateDir, run);
  const policy = pod && containerNamed(pod, run.name)?.terminationMessagePolicy;
  if (written !== "" || policy !== "FallbackToLogsOnError" || run.status.exitCode === 0) return written;
  return readLogTail(runtime, run);
}
