// orrery demo: the guided tour of what a cluster does by itself, each act shown, explained and checked.
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { readAccess } from "../cluster/api-access.ts";
import { readState } from "../cluster/state.ts";
import { closeNamespace } from "../demo/guestbook.ts";
import type { Stage } from "../demo/stage.ts";
import { tour } from "../demo/tour.ts";
import { type Io, progressOn } from "../progress.ts";
import { interruption, withCluster } from "./cluster-option.ts";
import { startUsual } from "./up.ts";

interface Flags {
  readonly name: string;
  readonly yes?: boolean;
  readonly keep?: boolean;
}
const namespace = "orrery-demo";

async function stageOf(cluster: string, io: Io, signal: AbortSignal): Promise<Stage> {
  const { server: url, ca, cert, key } = await readAccess(cluster);
  const access = { url, ca, cert, key, userAgent: "orrery-demo" };
  return {
    cluster,
    namespace,
    client: httpClient(
      access,
      realWorld(() => {}),
      signal,
    ),
    io,
    signal,
  };
}

/** Waits for the reader's Enter; "q" ends the tour. */
async function turnPage(signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question("\nEnter goes on, q ends the tour: ", { signal });
    if (answer.trim().toLowerCase().startsWith("q")) throw new CliError("the tour was ended");
  } finally {
    lines.close();
  }
}

const demo = async (flags: Flags): Promise<void> => {
  const { clock } = realWorld(() => {});
  const io: Io = { clock, progress: progressOn(process.stdout, clock) };
  const interrupted = interruption();
  const finished = new AbortController();
  const asks = flags.yes !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const isNew = (await readState(flags.name))?.complete !== true;
  if (isNew) await startUsual(flags.name, io, interrupted);
  try {
    const stage = await stageOf(flags.name, io, AbortSignal.any([interrupted, finished.signal]));
    await tour(stage, asks ? () => turnPage(interrupted) : async () => {});
    if (flags.keep !== true) await closeNamespace(stage);
  } finally {
    finished.abort();
  }
  const suffix = flags.name === "orrery" ? "" : ` --name ${flags.name}`;
  if (isNew) io.progress.say(`The cluster is still up. To remove it: orrery down${suffix}`);
};

/** Adds `demo` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("demo"))
    .summary("a guided tour: watch a cluster heal, update, roll back and grow")
    .description(
      "Sets up the guestbook in a namespace of its own, then breaks things and watches them heal. Starts a cluster when there is " +
        "none. One node is cut off for a moment, which other pods on it will feel. Ends with 1 when something did not go as told.",
    )
    .option("-y, --yes", "do not wait for Enter between the acts; so it is anyway without a terminal")
    .option("--keep", "leave the guestbook there afterwards")
    .addHelpText("after", "\nExamples:\n  orrery demo\n  orrery demo --yes --name second")
    .action(demo);
};
