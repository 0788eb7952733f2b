// An act about stateful sets: pods with stable names, started in order and stopped in the reverse order.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { statefulSets } from "../../api/apps/statefulsets.ts";
import { conditionOf, isReady } from "../../api/core/pod/status.ts";
import { instantOf, key, keyOf } from "../../api/meta.ts";
import { applyManifests } from "./manifests.ts";
import { type Act, check, detail, eventually, placements, readyPods, type Stage } from "./stage.ts";

const app = "stateful";
const replicas = 3;

/** The pods by ordinal, with those that are being deleted. */
async function podsInOrder({ client, namespace }: Stage): Promise<readonly Pod[]> {
  const { items } = await client.list(pods, { namespace, labelSelector: `app=${app}` });
  return items.toSorted((a, b) => a.metadata.name.localeCompare(b.metadata.name));
}

/** Throws CliError unless each pod was created after the one before it was Ready. Times have a resolution of 1 s. */
function checkStartOrder(all: readonly Pod[]): void {
  for (const [i, pod] of all.slice(1).entries()) {
    const ready = conditionOf(all[i]!.status?.conditions, "Ready")?.lastTransitionTime;
    const inOrder = ready !== undefined && instantOf(ready) <= instantOf(pod.metadata.creationTimestamp!);
    check(inOrder, `${pod.metadata.name} was created before ${all[i]!.metadata.name} was Ready`);
  }
}

async function replaceOne(stage: Stage, pod: Pod): Promise<void> {
  const { name, uid } = pod.metadata;
  await stage.io.progress.step(`deleted ${name}`, () => stage.client.delete(pods, keyOf(pod)));
  await eventually(stage, `another pod named ${name} is Ready`, 60_000, async () => {
    const now = (await podsInOrder(stage)).find(({ metadata }) => metadata.name === name);
    const isNew = now !== undefined && now.metadata.uid !== uid;
    return { holds: isNew && isReady(now), seen: isNew ? "not Ready yet" : "not there yet" };
  });
}

async function scaleToOne(stage: Stage): Promise<void> {
  const { client, namespace } = stage;
  await stage.io.progress.step("scaled to 1", () =>
    client.patch(statefulSets, key(namespace, "web"), { type: "merge", patch: { spec: { replicas: 1 } } }),
  );
  await eventually(stage, "the last pod has stopped first, then the one before it", 60_000, async () => {
    const all = await podsInOrder(stage);
    const isStopping = all.map(({ metadata }) => metadata.deletionTimestamp !== undefined);
    check(!isStopping.slice(0, -1).includes(true), `not the last one stops first: ${placements(all)}`);
    return { holds: all.length === 1, seen: `${all.length} are left` };
  });
}

export const statefulSet: Act = {
  title: "Pods with names that stay",
  story:
    "The StatefulSet controller numbers its pods: it starts each once the one before is Ready, replaces one by another of the same " +
    "name, and stops the last one first.",
  play: async (stage) => {
    await stage.io.progress.step("manifests/examples/stateful-set.yaml applied", () =>
      applyManifests(stage, "examples/stateful-set.yaml"),
    );
    await eventually(stage, `${replicas} pods are Ready`, 60_000, readyPods(stage, app, replicas));
    const all = await podsInOrder(stage);
    checkStartOrder(all);
    detail(stage, `started in this order: ${placements(all)}`);
    await replaceOne(stage, all[1]!);
    await scaleToOne(stage);
  },
};
