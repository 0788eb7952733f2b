// `run` with --attach or -i: waits for the pod, attaches to it, and takes over its exit code.
import type { Pod } from "../../api/generated/types.ts";
import { hasReason } from "../../api/errors.ts";
import { isReady } from "../../api/core/pod/status.ts";
import type { ApiObject } from "../../api/meta.ts";
import { CliError } from "../cli-error.ts";
import { attachTo, type AttachFlags } from "../client/attach.ts";
import { chosenContainer } from "../client/chosen-container.ts";
import { podState } from "../client/object-states.ts";
import { type LogSource, printLog } from "../client/pod-log.ts";
import { pathOf } from "../client/resources.ts";
import type { Session } from "../client/session.ts";
import { errorText } from "../program/report.ts";

export interface AttachedFlags extends AttachFlags {
  readonly restart: string;
  readonly leaveStdinOpen?: boolean;
  readonly podRunningTimeout: number;
}

const isOver = ({ status }: Pod): boolean => status?.phase === "Succeeded" || status?.phase === "Failed";
const canAttach = (pod: Pod): boolean => isOver(pod) || (pod.status?.phase === "Running" && isReady(pod));

/** The text of an error after `warning:`. */
const textOf = (error: unknown): string =>
  errorText(error)
    .replace(/^error: /, "")
    .trimEnd();

const logSource = (pod: Pod): LogSource => ({
  namespace: pod.metadata.namespace!,
  pod: pod.metadata.name!,
  container: chosenContainer(pod, undefined).name,
});

/** Prints what the container wrote, and attaches to it; when it ends too soon, prints its log instead. */
export async function attachOrLog(
  { api, ...rest }: Session,
  pod: Pod,
  flags: AttachFlags & { readonly detachKeys: Buffer },
  signal: AbortSignal,
): Promise<void> {
  try {
    await attachTo({ api, ...rest }, pod, flags, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    process.stderr.write(
      `warning: couldn't attach to pod/${pod.metadata.name}, falling back to streaming logs: ${textOf(error)}\n`,
    );
    const source = flags.container ? { ...logSource(pod), container: flags.container } : logSource(pod);
    await printLog(api, source, signal);
  }
}

/** Throws a CliError with the exit code of a pod that failed. */
function throwFailure({ metadata: { namespace, name }, status }: Pod): void {
  if (status?.phase !== "Failed") return;
  const end = status.containerStatuses?.[0]?.state?.terminated;
  if (!end?.exitCode) throw new CliError(`pod ${namespace}/${name} failed with unknown exit code`);
  const text = `pod ${namespace}/${name} terminated (${end.reason ?? ""})`;
  throw new CliError(end.message ? `${text}\n${end.message.trimEnd()}` : text, undefined, {
    exitCode: end.exitCode,
    isBare: true,
  });
}

/** Attaches to a created pod until it ends. Throws a CliError with the pod's exit code, if it is not 0. */
export async function runAttached(
  scope: Session,
  created: Pod,
  flags: AttachedFlags & { readonly detachKeys: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const { api } = scope;
  const limits = { timeoutMs: flags.podRunningTimeout, signal };
  const pod = await podState(api, created.metadata, canAttach, limits);
  if (isOver(pod)) await printLog(api, logSource(pod), signal);
  else {
    await printLog(api, logSource(pod), signal).catch((error: unknown) => {
      process.stderr.write(`warning: couldn't fetch pre-attach logs: ${textOf(error)}\n`);
    });
    await attachOrLog(scope, pod, flags, signal);
  }
  if (flags.leaveStdinOpen || flags.restart === "Always") return;
  // A pod that restarts on failure goes on until it succeeds.
  const isDone = flags.restart === "Never" ? isOver : ({ status }: Pod): boolean => status?.phase === "Succeeded";
  throwFailure(await podState(api, created.metadata, isDone, limits));
}

/** Deletes what `run` has created. */
export async function removeCreated(
  { api }: Session,
  created: readonly { readonly object: ApiObject; readonly plural: string }[],
  quiet: boolean,
): Promise<void> {
  for (const { object, plural } of created) {
    const { namespace, name } = object.metadata;
    const path = pathOf({ group: "", version: "v1", plural, namespaced: true }, namespace, name);
    const body = { kind: "DeleteOptions", apiVersion: "v1", propagationPolicy: "Background" };
    try {
      await api.request({ method: "DELETE", path, body });
      if (!quiet) process.stdout.write(`${object.kind.toLowerCase()} "${name}" deleted from ${namespace} namespace\n`);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }
}
