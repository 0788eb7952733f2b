// Ephemeral containers of running pods.
import { CoreV1Api, setHeaderOptions, type V1EphemeralContainer, type V1Pod } from "@kubernetes/client-node";
import { expect } from "vitest";
import { image, runs, type SimulatedNode, simulatedNode } from "../suites/simulated-node.ts";
import { behaviour, type ScenarioContext } from "./behaviour.ts";

async function withPod(context: ScenarioContext, work: (node: SimulatedNode) => Promise<void>): Promise<void> {
  const node = await simulatedNode(context.server);
  try {
    const { namespace } = context;
    await node.create("target", [runs("test-container-1", "while :; do sleep 600; done")], { namespace });
    await node.ready("target", namespace);
    await work(node);
  } finally {
    await node.close();
  }
}

const looker = (name: string): V1EphemeralContainer => ({
  name,
  image,
  command: ["sh", "-c", "echo marco; while :; do sleep 600; done"],
  targetContainerName: "test-container-1",
});
const isRunning =
  (name: string) =>
  (pod: { readonly status?: V1Pod["status"] | object }): boolean =>
    (pod.status as V1Pod["status"])?.ephemeralContainerStatuses?.find((s) => s.name === name)?.state?.running !==
    undefined;

behaviour("Ephemeral Containers will start an ephemeral container in an existing pod", (context) =>
  withPod(context, async (node) => {
    const { namespace, client } = context;
    const core = client(CoreV1Api);
    const body = { spec: { ephemeralContainers: [looker("debugger")] } };
    const strategic = setHeaderOptions("Content-Type", "application/strategic-merge-patch+json");
    await core.patchNamespacedPodEphemeralcontainers({ name: "target", namespace, body }, strategic);
    await node.until("target", isRunning("debugger"), namespace);
    expect(await core.readNamespacedPodLog({ name: "target", namespace, container: "debugger" })).toBe("marco\n");
    const pod = await core.readNamespacedPodStatus({ name: "target", namespace });
    expect(pod.spec?.ephemeralContainers?.[0]).toMatchObject({ imagePullPolicy: "IfNotPresent" });
    expect(pod.status?.containerStatuses?.[0]).toMatchObject({ ready: true, restartCount: 0 });
  }),
);

behaviour("Ephemeral Containers should update the ephemeral containers in an existing pod", (context) =>
  withPod(context, async (node) => {
    const { namespace, client } = context;
    const core = client(CoreV1Api);
    const at = { name: "target", namespace };
    const put = async (...ephemeralContainers: V1EphemeralContainer[]): Promise<V1Pod> => {
      const pod = await core.readNamespacedPodEphemeralcontainers(at);
      return core.replaceNamespacedPodEphemeralcontainers({
        ...at,
        body: { ...pod, spec: { ...pod.spec!, activeDeadlineSeconds: 5, ephemeralContainers } },
      });
    };
    const first = await put(looker("debugger"));
    // The subresource changes no other field of the pod.
    expect(first.spec?.activeDeadlineSeconds).toBeUndefined();
    expect(first.metadata?.generation).toBe(2);
    await node.until("target", isRunning("debugger"), namespace);
    await put(looker("debugger"), looker("another"));
    await node.until("target", isRunning("another"), namespace);
    await expect(put(looker("another"))).rejects.toThrow(
      /spec.ephemeralContainers: Forbidden: existing ephemeral containers .*debugger.* may not be removed/,
    );
    await expect(put({ ...looker("debugger"), image: "other" }, looker("another"))).rejects.toThrow(
      /existing ephemeral containers .*debugger.* may not be changed/,
    );
  }),
);
