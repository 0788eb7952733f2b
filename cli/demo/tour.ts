// The tour itself: its acts in order, each told, played and checked; the first that fails ends it.
import pc from "picocolors";
import type { Act, Stage } from "./stage.ts";
import { autoscaling } from "./autoscaling.ts";
import { applyGuestbook, openNamespace } from "./guestbook.ts";
import { deletePod, killContainer } from "./healing.ts";
import { loseNode } from "./node-loss.ts";
import { check, eventually, livePods, placesOf, readyPods, tell } from "./stage.ts";
import { badUpdate, update } from "./updates.ts";
import { addressesOf, visit } from "./visitors.ts";
import { CliError } from "../cli-error.ts";

const setUp: Act = {
  title: "A guestbook, from manifests",
  story: "manifests/guestbook says what should be; controllers, scheduler, kubelets and network make it so.",
  play: async (stage) => {
    await openNamespace(stage);
    await stage.io.progress.step(`manifests/guestbook applied to namespace ${stage.namespace}`, () =>
      applyGuestbook(stage),
    );
    await eventually(stage, "three web pods are Ready", 60_000, readyPods(stage, "web", 3));
    await eventually(stage, "so is the key-value service they count visits in", 60_000, readyPods(stage, "kv", 1));
    tell(stage, placesOf(await livePods(stage, "web")));
    const [address] = await addressesOf(stage, "web");
    check(address !== undefined, "no node is Ready");
    await eventually(stage, "a visitor is greeted at a port of the node", 30_000, async () => {
      const said = await visit(`${address}/`).catch((error: Error) => error.message);
      return { come: said.includes("version 1. Visits: ") && !said.includes("unknown"), seen: said };
    });
    tell(stage, `${address} says: ${await visit(`${address}/`)}`);
  },
};

/** Everything the tour shows, in order. */
export const acts: readonly Act[] = [setUp, killContainer, deletePod, loseNode, update, badUpdate, autoscaling];

const advice = ({ cluster, namespace }: Stage): string => {
  const name = cluster === "orrery" ? "" : ` --name ${cluster}`;
  return (
    `What the tour made is still there to be looked at: orrery get pods -n ${namespace}${name}\n` +
    `Whether every component is well: orrery status${name}`
  );
};

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
    throw new CliError(`act ${number} of the tour, "${act.title}", failed: ${(error as Error).message}`, advice(stage));
  }
}

/** Plays all acts; `between` is asked before each but the first. Says how it went. */
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
