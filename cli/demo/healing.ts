// Two acts about self-healing: a container that is killed, and a pod that is deleted.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/core/pods.ts";
import { keyOf } from "../../api/meta.ts";
import { isReady, restarts } from "../../api/core/pod/status.ts";
import { runIn } from "../cluster/containers.ts";
import { type Act, activePods, check, detail, eventually, placements, readyPods, type Stage } from "./stage.ts";

const onePod = async (stage: Stage): Promise<Pod> => {
  const [pod] = await activePods(stage, "web");
  check(pod !== undefined, "there is no web pod to try this on");
  return pod;
};

/** The Docker id of a pod's first container. */
const containerIdOf = (pod: Pod): string =>
  (pod.status?.containerStatuses?.[0]?.containerID ?? "").replace("docker://", "");

export const killContainer: Act = {
  title: "A container dies",
  story:
    "The kubelet hears of it from the engine and starts the container again, in the same pod, on the same address.",
  play: async (stage) => {
    const pod = await onePod(stage);
    const [id, before, node] = [containerIdOf(pod), restarts(pod), pod.spec.nodeName!];
    await stage.io.progress.step(`killed the container of ${pod.metadata.name} (docker kill, on ${node})`, () =>
      runIn(node, ["docker", "kill", id]),
    );
    await eventually(stage, "it runs again and is Ready", 30_000, async () => {
      const now = await stage.client.get(pods, keyOf(pod));
      const restarted = restarts(now) > before && containerIdOf(now) !== id;
      return { holds: restarted && isReady(now), seen: restarted ? "runs, not Ready yet" : "not started again yet" };
    });
    const after = await stage.client.get(pods, keyOf(pod));
    check(after.status?.podIP === pod.status?.podIP, "the pod changed its address although only its container died");
    detail(stage, `restarts: ${before} before, ${restarts(after)} now; still at ${after.status?.podIP}`);
  },
};

export const deletePod: Act = {
  title: "A pod is deleted",
  story: "The replica set counts one too few and makes another, the scheduler finds it a node, a kubelet starts it.",
  play: async (stage) => {
    const before = await activePods(stage, "web");
    const pod = await onePod(stage);
    await stage.io.progress.step(`deleted ${pod.metadata.name}`, () => stage.client.delete(pods, keyOf(pod)));
    await eventually(stage, "a replacement is Ready", 30_000, readyPods(stage, "web", before.length));
    const names = before.map((p) => p.metadata.name);
    const added = (await activePods(stage, "web")).filter((p) => !names.includes(p.metadata.name));
    check(added.length === 1, `one new pod was expected, and there are ${added.length}`);
    detail(stage, placements(added));
  },
};
