// An act about autoscaling: load rises and falls, and the web deployment scales up and down.
import type { Deployment } from "../../api/generated/types.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { horizontalPodAutoscalers } from "../../api/autoscaling/horizontalpodautoscalers.ts";
import { type Draft, key } from "../../api/meta.ts";
import { type Act, activePods, check, detail, eventually, readyPods, type Stage } from "./stage.ts";

/** A load of 25 requests of 20 ms CPU time per second: 0.5 CPU, where the target of three pods is 0.18. */
const loadGenerator = (namespace: string): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name: "rush", namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "rush" } },
    template: {
      metadata: { labels: { app: "rush" } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: "load",
            image: "orrery/load:1",
            env: [
              { name: "TARGET", value: "http://web/burn?ms=20" },
              { name: "RATE", value: "25" },
              { name: "WORKERS", value: "8" },
            ],
            resources: { requests: { cpu: "20m", memory: "16Mi" } },
          },
        ],
      },
    },
  },
});

/** The autoscaler's status. */
async function scalerStatus({
  client,
  namespace,
}: Stage): Promise<{ readonly replicas: number; readonly text: string }> {
  const scaler = await client.get(horizontalPodAutoscalers, key(namespace, "web"));
  const now = scaler.status?.currentMetrics?.[0]?.resource?.current.averageUtilization;
  const target = scaler.spec.metrics?.[0]?.resource?.target.averageUtilization;
  const replicas = scaler.status?.desiredReplicas ?? 0;
  return { replicas, text: `cpu ${now ?? "?"}% of requests, target ${target}%, ${replicas} replicas wanted` };
}

export const autoscaling: Act = {
  title: "Load comes and goes",
  story:
    "The autoscaler compares what pods use with what they asked for, and sizes the deployment. It grows at once and shrinks with " +
    "patience: 5 s in this tour, 30 s by default here, 300 s in Kubernetes.",
  play: async (stage) => {
    const { client, namespace, io } = stage;
    const { spec } = await client.get(horizontalPodAutoscalers, key(namespace, "web"));
    const least = spec.minReplicas ?? 1;
    await io.progress.step("a rush of visitors begins", () => client.create(deployments, loadGenerator(namespace)));
    await eventually(stage, "the autoscaler asks for more pods", 90_000, async () => {
      const { replicas, text } = await scalerStatus(stage);
      return { holds: replicas > least, seen: text };
    });
    detail(stage, (await scalerStatus(stage)).text);
    await eventually(stage, "they are Ready", 60_000, async () => {
      const { replicas } = await scalerStatus(stage);
      return readyPods(stage, "web", replicas)();
    });
    const most = (await activePods(stage, "web")).length;
    check(most <= spec.maxReplicas, `there are ${most} pods where ${spec.maxReplicas} are allowed`);
    await io.progress.step("the rush ends", () => client.delete(deployments, key(namespace, "rush")));
    await eventually(stage, `back to ${least} pods`, 120_000, async () => {
      const { holds, seen } = await readyPods(stage, "web", least)();
      return { holds, seen: `${seen}; ${(await scalerStatus(stage)).text}` };
    });
    detail(stage, `${least} pods, ${most} under load, ${least} again`);
  },
};
