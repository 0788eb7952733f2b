// Two acts about self-healing: a container that is killed, and a pod that is deleted.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { keyOf } from "../../api/meta.ts";
import { isReady, restarts } from "../../api/core/pod/status.ts";
import { runIn } from "../cluster/containers.ts";
import { type Act, activePods, check, detail, eventually, placements, readyPods, type Stage } from "./stage.ts";

const onePod = async (stage: Stage): Promise<Pod> => {
  const [pod] = await activePods(stage, "web");
  check(pod !== undefined, "there is no web pod");
  return pod;
};

/** The Docker id of a pod's first container. */
const containerIdOf = (pod: Pod): string =>
  (pod.status?.containerStatuses?.[0]?.containerID ?? "").replace("docker://", "");

/** Kills the container of a pod, and waits until it runs again in the same pod. */
export async function killAndAwaitRestart(stage: Stage, pod: Pod): Promise<Pod> {
  const [id, before, node] = [containerIdOf(pod), restarts(pod), pod.spec.nodeName!];
  await stage.io.progress.step(`killed the container of ${pod.metadata.name} (docker kill, on ${node})`, () =>
    runIn(node, ["docker", "kill", id]),
  );
  await eventually(stage, "it is restarted and Ready", 30_000, async () => {
    const now = await stage.client.get(pods, keyOf(pod));
    const restarted = restarts(now) > before && containerIdOf(now) !== id;
    return { holds: restarted && isReady(now), seen: restarted ? "running, not Ready yet" : "not restarted yet" };
  });
  return stage.client.get(pods, keyOf(pod));
}

export const killContainer: Act = {
  title: "A container dies",
  story:
    "The kubelet learns of it from the container engine and restarts the container in the same pod, with the same address.",
  play: async (stage) => {
    const pod = await onePod(stage);
    const before = restarts(pod);
    const after = await killAndAwaitRestart(stage, pod);
    check(after.status?.podIP === pod.status?.podIP, "the pod changed its address although only its container died");
    detail(stage, `restarts: ${before} before, ${restarts(after)} now; still at ${after.status?.podIP}`);
  },
};

export const deletePod: Act = {
  title: "A pod is deleted",
  story:
    "The ReplicaSet controller finds one pod too few and creates another, the scheduler binds it to a node, the kubelet starts it.",
  play: async (stage) => {
    const before = await activePods(stage, "web");
    const pod = await onePod(stage);
    await stage.io.progress.step(`deleted ${pod.metadata.name}`, () => stage.client.delete(pods, keyOf(pod)));
    await eventually(stage, "a replacement is Ready", 30_000, readyPods(stage, "web", before.length));
    const names = before.map((p) => p.metadata.name);
    const added = (await activePods(stage, "web")).filter((p) => !names.includes(p.metadata.name));
    check(added.length === 1, `one new pod was expected, but there are ${added.length}`);
    detail(stage, placements(added));
  },
};
