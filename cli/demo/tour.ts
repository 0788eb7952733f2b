// Runs the acts of the tour in order; the first failure ends it.
import pc from "picocolors";
import type { Act, Stage } from "./stage.ts";
import { autoscaling } from "./autoscaling.ts";
import { applyManifests, openNamespace } from "./manifests.ts";
import { keepCount } from "./counter.ts";
import { deletePod, killContainer } from "./healing.ts";
import { loseNode } from "./node-loss.ts";
import { scaleNodes } from "./node-scaling.ts";
import { activePods, check, detail, eventually, placements, readyPods } from "./stage.ts";
import { statefulSet } from "./stateful-set.ts";
import { badUpdate, update } from "./updates.ts";
import { addressesOf, visit } from "./visitors.ts";
import { CliError } from "../cli-error.ts";
import { nameOption } from "../client/kubeconfig-files.ts";

const setUp: Act = {
  title: "An application from manifests",
  story: "manifests/guestbook declares the desired state; controllers, scheduler, kubelets and network bring it about.",
  play: async (stage) => {
    await openNamespace(stage);
    await stage.io.progress.step(`manifests/guestbook applied to namespace ${stage.namespace}`, () =>
      applyManifests(stage, "guestbook"),
    );
    await eventually(stage, "three web pods are Ready", 60_000, readyPods(stage, "web", 3));
    await eventually(
      stage,
      "the key-value service that stores the visit counter is Ready",
      60_000,
      readyPods(stage, "kv", 1),
    );
    detail(stage, placements(await activePods(stage, "web")));
    const [address] = await addressesOf(stage, "web");
    check(address !== undefined, "no node is Ready");
    await eventually(stage, "the service answers at a node port", 30_000, async () => {
      const seen = await visit(`${address}/`).catch((error: Error) => error.message);
      return { holds: seen.includes("version 1. Visits: ") && !seen.includes("unknown"), seen };
    });
    detail(stage, `${address} says: ${await visit(`${address}/`)}`);
  },
};

/** The acts in order. */
const acts: readonly Act[] = [
  setUp,
  killContainer,
  deletePod,
  keepCount,
  loseNode,
  update,
  badUpdate,
  statefulSet,
  autoscaling,
  scaleNodes,
];

const advice = ({ cluster, namespace }: Stage): string =>
  `The objects of the demo are kept for inspection: orrery get pods -n ${namespace}${nameOption(cluster)}\n` +
  `The state of every component: orrery status${nameOption(cluster)}`;

async function play(act: Act, number: string, stage: Stage): Promise<boolean> {
  const { progress } = stage.io;
  progress.say(`\n${pc.bold(`${number}  ${act.title}`)}\n${pc.dim(`     ${act.story}`)}`);
  const obstacle = await act.obstacle?.(stage);
  if (obstacle !== undefined) {
    progress.say(`  ${pc.yellow("--")}  not shown: ${obstacle}`);
    return false;
  }
  try {
    await act.play(stage);
    return true;
  } catch (error) {
    if (stage.signal.aborted) throw stage.signal.reason;
    throw new CliError(`act ${number} of the demo, "${act.title}", failed: ${(error as Error).message}`, advice(stage));
  }
}

/** Plays all acts, with `between` before each but the first, and prints a summary. */
export async function tour(stage: Stage, between: () => Promise<void>): Promise<void> {
  const began = stage.io.clock.now();
  let shown = 0;
  for (const [i, act] of acts.entries()) {
    if (i > 0) await between();
    if (await play(act, `${i + 1}/${acts.length}`, stage)) shown++;
  }
  const took = Math.round((stage.io.clock.now() - began) / 1000);
  stage.io.progress.say(`\n${shown} of ${acts.length} acts shown and checked in ${took} s.`);
}
