// orrery attach: attaches to the process of a container.
import type { Command } from "commander";
import type { Pod } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { attachTo, type AttachFlags } from "../client/attach.ts";
import { defaultDetachKeys, detachBytes } from "../client/detach-keys.ts";
import { podsOf } from "../client/pods-of.ts";
import { type Session, session } from "../client/session.ts";
import { targetsOf } from "../client/targets.ts";
import { duration } from "../program/flag-values.ts";
import type { GlobalFlags } from "../program/global-flags.ts";

interface Flags extends GlobalFlags, AttachFlags {
  readonly detachKeys: string;
  readonly podRunningTimeout: number;
}

/** Checks arguments and flags. Throws CliError in kubectl's words; nothing has been sent. */
function check(args: readonly string[], flags: Flags): void {
  if (args.length === 0) throw new CliError("at least 1 argument is required for attach");
  if (args.length > 2)
    throw new CliError(
      `expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw ${args.length}: [${args.join(" ")}]`,
    );
  if (flags.podRunningTimeout <= 0)
    throw new CliError(
      "--pod-running-timeout must be higher than zero",
      "See 'orrery attach -h' for help and examples",
    );
}

async function podFor(scope: Session, args: readonly string[], flags: Flags): Promise<Pod> {
  const [target] = await targetsOf(scope, args, {}, args.length === 1 ? { defaultType: "pods" } : {});
  const choice = { purpose: "attach to", prefersRestarted: false, timeoutMs: flags.podRunningTimeout };
  const pod = (await podsOf(scope, target!, choice))[0]!;
  const phase = pod.status?.phase;
  if (phase === "Succeeded" || phase === "Failed")
    throw new CliError(`cannot attach a container in a completed pod; current phase is ${phase}`);
  return pod;
}

const attach = async (args: readonly string[], flags: Flags): Promise<void> => {
  check(args, flags);
  const detachKeys = detachBytes(flags.detachKeys);
  const scope = await session(flags);
  const pod = await podFor(scope, args, flags);
  await attachTo(scope, pod, { ...flags, detachKeys }, new AbortController().signal);
};

/** Adds `attach` to the program. */
export const register = (program: Command): void => {
  program
    .command("attach [args...]")
    .usage("[flags] (POD | TYPE/NAME)")
    .option("-c, --container <name>", "the container; by default the first, or that of an annotation")
    .option("-i, --stdin", "pass standard input to the container")
    .option("-t, --tty", "with a terminal, if the container has one")
    .option("-q, --quiet", "print only what the container prints")
    .option("--detach-keys <keys>", "the keys that leave the session", defaultDetachKeys)
    .option("--pod-running-timeout <duration>", "how long to wait for the first pod", duration, 60_000)
    .addHelpText("after", "\nExamples:\n  orrery attach web-1\n  orrery attach shell -c main -i -t")
    .action(attach);
};
