// Runs a shell in a container, with the terminal of the program.
import { PassThrough } from "node:stream";
import type { Pod } from "../../api/generated/types.ts";
import { chosenContainer } from "../client/chosen-container.ts";
import { sessionPath } from "../client/pod-session.ts";
import { runRemote } from "../client/remote-command.ts";
import { pathOf } from "../client/resources.ts";
import type { Session } from "../client/session.ts";
import type { ObjectRef } from "./state.ts";
import type { Terminal } from "./terminal.ts";

/** Bash where there is one. */
const command = ["sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"];

/** Runs until the shell ends, and resolves with its exit code. The terminal must not be read by others meanwhile. */
export async function runShell(
  { api }: Session,
  of: ObjectRef,
  containerName: string | undefined,
  { stdin, stdout, stderr }: Terminal,
): Promise<number> {
  const path = pathOf(of.resource, of.namespace, of.name);
  const pod = await api.get<Pod>(path);
  const { name: container } = chosenContainer(pod, containerName);
  // Reading standard input itself to its end would close it.
  const input = new PassThrough();
  // Not "data", which would leave the stream flowing, or paused: Ink reads it by "readable", too.
  const forward = (): void => {
    for (let chunk = stdin.read(); chunk !== null; chunk = stdin.read()) input.write(chunk as Buffer | string);
  };
  let onSize = (): void => {};
  const resized = (): void => onSize();
  stdin.setRawMode(true);
  stdin.ref();
  stdin.on("readable", forward);
  stdout.on("resize", resized);
  stdout.write(`${container} in ${of.namespace}/${of.name}\r\n`);
  try {
    const onResize: NonNullable<Parameters<typeof runRemote>[1]["onResize"]> = (listener) => {
      onSize = () => listener({ columns: stdout.columns, rows: stdout.rows });
      onSize();
    };
    const remote = {
      path: sessionPath({ pod, container, command, stdin: true, tty: true }),
      stdin: input,
      stdout,
      stderr,
      onResize,
    };
    return await runRemote(api.access, remote, new AbortController().signal);
  } finally {
    stdout.off("resize", resized);
    stdin.off("readable", forward);
    stdin.setRawMode(false);
    input.end();
  }
}
