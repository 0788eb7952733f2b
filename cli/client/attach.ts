// Attaches to the process of a container, as the commands attach, run and debug do.
import type { Container, Pod } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { chosenContainer } from "./chosen-container.ts";
import { holdSession } from "./pod-session.ts";
import type { Session } from "./session.ts";
import { opensTerminal, type SessionFlags } from "./terminal.ts";

export interface AttachFlags extends SessionFlags {
  readonly container?: string;
}

const recorded =
  "All commands and output from this session will be recorded in container logs, including credentials and sensitive information passed through the command prompt.";

/** The container to attach to. Throws CliError when the pod has none of this name. */
function containerFor(pod: Pod, { container, quiet }: AttachFlags): string {
  try {
    const { name, notice } = chosenContainer(pod, container);
    if (notice && !quiet) process.stderr.write(`${notice}\n`);
    return name;
  } catch (error) {
    throw error instanceof CliError ? new CliError(`cannot attach to the container: ${error.message}`) : error;
  }
}

const isEphemeral = ({ spec }: Pod, name: string): boolean =>
  (spec.ephemeralContainers ?? []).some((c) => c.name === name);

const hasTerminal = ({ spec }: Pod, name: string): boolean =>
  [
    ...spec.containers,
    ...(spec.initContainers ?? []),
    ...((spec.ephemeralContainers ?? []) as readonly Container[]),
  ].find((c) => c.name === name)?.tty === true;

/** What is printed after a session with a terminal, whose process may go on. */
function endOf(pod: Pod, name: string): string {
  const again = `orrery attach ${pod.metadata.name} -c ${name} -n ${pod.metadata.namespace} -i -t`;
  return isEphemeral(pod, name)
    ? `Session ended, the ephemeral container will not be restarted but may be reattached using '${again}' if it is still running`
    : `Session ended, resume using '${again}' command`;
}

/** Attaches until the process or the session ends. A container with a terminal needs one here too. */
export async function attachTo(
  scope: Session,
  pod: Pod,
  flags: AttachFlags & { readonly detachKeys: Buffer },
  signal: AbortSignal,
): Promise<void> {
  const container = containerFor(pod, flags);
  const { quiet } = flags;
  const tty = hasTerminal(pod, container);
  if (flags.tty && !tty && !quiet)
    process.stderr.write(`error: Unable to use a TTY - container ${container} did not allocate one\n`);
  const stdin = flags.stdin === true;
  const isRaw = opensTerminal({ ...flags, tty });
  if (!quiet) process.stderr.write(`${recorded}\nIf you don't see a command prompt, try pressing enter.\n`);
  await holdSession(scope, { pod, container, stdin, tty: isRaw, detachKeys: flags.detachKeys }, signal);
  if (isRaw && !quiet) process.stdout.write(`${endOf(pod, container)}\n`);
}
