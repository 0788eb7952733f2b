// orrery demo: runs the guided tour, which demonstrates and checks what a cluster does by itself.
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { httpClient } from "../../machinery/http-client.ts";
import { realWorld } from "../../machinery/real-world.ts";
import { CliError } from "../cli-error.ts";
import { readAccess } from "../client/access.ts";
import { nameOption } from "../client/kubeconfig-files.ts";
import { readState } from "../cluster/state.ts";
import { closeNamespace } from "../demo/manifests.ts";
import type { Stage } from "../demo/stage.ts";
import { tour } from "../demo/tour.ts";
import type { Environment } from "../program/global-flags.ts";
import { type Io, progressOn } from "../progress.ts";
import { clock, interruption, withCluster } from "./cluster-option.ts";
import { startDefault } from "./up.ts";

interface Flags {
  readonly environment: Environment;
  readonly name: string;
  readonly yes?: boolean;
  readonly keep?: boolean;
}
const namespace = "orrery-demo";

async function stageOf(cluster: string, io: Io, signal: AbortSignal): Promise<Stage> {
  const { server: url, ca, cert, key } = await readAccess(cluster);
  const world = realWorld(() => {});
  const client = httpClient({ url, ca, cert, key, userAgent: "orrery-demo" }, world, signal);
  return { cluster, namespace, client, io, signal };
}

/** Waits for Enter. Throws CliError for "q". */
async function waitForEnter(signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await lines.question("\nEnter goes on, q ends the tour: ", { signal });
    if (answer.trim().toLowerCase().startsWith("q")) throw new CliError("the tour was ended");
  } finally {
    lines.close();
  }
}

const demo = async (flags: Flags): Promise<void> => {
  const io: Io = { clock, progress: progressOn(process.stdout, clock) };
  const interrupted = interruption();
  const finished = new AbortController();
  const isInteractive = flags.yes !== true && process.stdin.isTTY === true && process.stdout.isTTY === true;
  const isNew = (await readState(flags.name))?.complete !== true;
  if (isNew) await startDefault({ ...flags, maxNodes: "4" }, io, interrupted);
  try {
    const stage = await stageOf(flags.name, io, AbortSignal.any([interrupted, finished.signal]));
    await tour(stage, isInteractive ? () => waitForEnter(interrupted) : async () => {});
    if (flags.keep !== true) await closeNamespace(stage);
  } finally {
    finished.abort();
  }
  if (isNew) io.progress.say(`The cluster is still up. To remove it: orrery down${nameOption(flags.name)}`);
};

/** Adds `demo` to the program. */
export const register = (program: Command): void => {
  withCluster(program.command("demo"))
    .summary("a guided tour: watch a cluster heal, update, roll back and grow")
    .description(
      "Sets up the guestbook in a namespace of its own, then breaks things and watches them heal. Starts a cluster when there is " +
        "none. One node is cut off for a moment, which other pods on it will feel. Ends with 1 when something did not go as told.",
    )
    .option("-y, --yes", "do not wait for Enter between the parts; the default without a terminal")
    .option("--keep", "keep the guestbook at the end")
    .addHelpText("after", "\nExamples:\n  orrery demo\n  orrery demo --yes --name second")
    .action(demo);
};
