// The guestbook's counter of visits, and an act about its volume: the count outlives the container and the pod.
import { pods } from "../../api/core/pods.ts";
import { isReady } from "../../api/core/pod/status.ts";
import { persistentVolumeClaims } from "../../api/core/persistentvolumeclaims.ts";
import { key, keyOf } from "../../api/meta.ts";
import { killAndAwaitRestart } from "./healing.ts";
import { type Act, check, detail, eventually, type Stage } from "./stage.ts";
import { addressesOf, visit } from "./visitors.ts";

const counterPod = "kv-0";
const claim = "data-kv-0";

/** Visits the guestbook until its counter answers, and returns the count. */
async function visitsNow(stage: Stage, title: string): Promise<number> {
  let count: number | undefined;
  await eventually(stage, title, 60_000, async () => {
    const [address] = await addressesOf(stage, "web");
    const seen = await visit(`${address}/`).catch((error: Error) => error.message);
    const number = /Visits: (\d+)/.exec(seen)?.[1];
    count = number === undefined ? undefined : Number(number);
    return { holds: count !== undefined, seen };
  });
  return count!;
}

/** Returns a check that the counter goes on from where it is now. */
export async function counterOf(stage: Stage): Promise<() => Promise<void>> {
  const before = await visitsNow(stage, "visits are counted");
  return async () => {
    const now = await visitsNow(stage, "the counter answers");
    check(now > before, `the counter was at ${before}, and is at ${now} now`);
    detail(stage, `visits: ${before} before, ${now} now`);
  };
}

export const keepCount: Act = {
  title: "A count that is kept",
  story:
    "The counter writes to a volume: the provisioner made it for a claim, and the kubelet mounts it into each pod that uses the claim.",
  play: async (stage) => {
    const { client, namespace } = stage;
    const { spec } = await client.get(persistentVolumeClaims, key(namespace, claim));
    detail(stage, `claim ${claim} is bound to volume ${spec.volumeName}, of class ${spec.storageClassName}`);
    const checkCount = await counterOf(stage);
    await killAndAwaitRestart(stage, await client.get(pods, key(namespace, counterPod)));
    await checkCount();
    const pod = await client.get(pods, key(namespace, counterPod));
    await stage.io.progress.step(`deleted ${counterPod}`, () => client.delete(pods, keyOf(pod)));
    await eventually(stage, `another pod named ${counterPod} is Ready`, 60_000, async () => {
      const { items } = await client.list(pods, { namespace, labelSelector: "app=kv" });
      const isBack = items.some((p) => p.metadata.uid !== pod.metadata.uid && isReady(p));
      return { holds: isBack, seen: "not Ready yet" };
    });
    await checkCount();
  },
};
