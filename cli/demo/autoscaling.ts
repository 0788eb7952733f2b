// An act about autoscaling: load rises and falls, and the web deployment scales up and down.
import type { Deployment } from "../../api/generated/types.ts";
import { deployments } from "../../api/apps/deployments.ts";
import { horizontalPodAutoscalers } from "../../api/autoscaling/horizontalpodautoscalers.ts";
import { type Draft, key } from "../../api/meta.ts";
import { type Act, activePods, check, detail, eventually, readyPods, type Stage } from "./stage.ts";

/** A load of 25 requests of 20 ms CPU time per second: 0.5 CPU, where the target of three pods is 0.18. */
const loadGenerator = (namespace: string): Draft<Deployment> => ({
  kind: "Deployment",
  metadata: { name: "load-generator", namespace },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: "load-generator" } },
    template: {
      metadata: { labels: { app: "load-generator" } },
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
  return { replicas, text: `cpu ${now ?? "?"}% of requests, target ${target}%, ${replicas} replicas desired` };
}

export const autoscaling: Act = {
  title: "Autoscaling under load",
  story:
    "The autoscaler compares CPU usage with CPU requests and sets the number of replicas. It scales up at once, and down after " +
    "a stabilization window: 5 s in this demo, 30 s by default in Orrery, 300 s in Kubernetes.",
  play: async (stage) => {
    const { client, namespace, io } = stage;
    const { spec } = await client.get(horizontalPodAutoscalers, key(namespace, "web"));
    const least = spec.minReplicas ?? 1;
    await io.progress.step("the load generator is started", () => client.create(deployments, loadGenerator(namespace)));
    await eventually(stage, "the autoscaler scales up", 90_000, async () => {
      const { replicas, text } = await scalerStatus(stage);
      return { holds: replicas > least, seen: text };
    });
    detail(stage, (await scalerStatus(stage)).text);
    await eventually(stage, "the new pods are Ready", 60_000, async () => {
      const { replicas } = await scalerStatus(stage);
      return readyPods(stage, "web", replicas)();
    });
    const most = (await activePods(stage, "web")).length;
    check(most <= spec.maxReplicas, `there are ${most} pods, more than maxReplicas (${spec.maxReplicas})`);
    await io.progress.step("the load generator is deleted", () =>
      client.delete(deployments, key(namespace, "load-generator")),
    );
    await eventually(stage, `back to ${least} pods`, 120_000, async () => {
      const { holds, seen } = await readyPods(stage, "web", least)();
      return { holds, seen: `${seen}; ${(await scalerStatus(stage)).text}` };
    });
    detail(stage, `${least} pods before, ${most} under load, ${least} after`);
  },
};
