// GET /runningpods and /configz: the pods that the engine runs, and the kubelet's configuration. Pure.
import type { KubeletSettings } from "../kubelet.ts";
import { isRunning } from "../pod/runs.ts";
import type { Inventory } from "../runtime.ts";

/** The pods with running containers, from the engine's list. */
export function runningPods({ containers }: Inventory): object {
  const items = [...Map.groupBy(containers.filter(isRunning), (run) => run.pod.uid).values()].map((runs) => ({
    metadata: { ...runs[0]!.pod },
    spec: { containers: runs.map(({ name, image }) => ({ name, image, resources: {} })) },
    status: {},
  }));
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

const seconds = (ms: number): string => `${ms / 1_000}s`;
/** The settings under the names of KubeletConfiguration. */
export const configuration = (s: KubeletSettings): object => ({
  kubeletconfig: {
    port: s.kubeletPort,
    podCIDR: s.podCidr ?? "",
    maxPods: s.capacity.pods,
    clusterDomain: s.clusterDomain,
    clusterDNS: [s.clusterDns],
    nodeLeaseDurationSeconds: s.times.leaseDurationSeconds,
    nodeStatusReportFrequency: seconds(s.times.statusReportMs),
    nodeStatusUpdateFrequency: seconds(s.times.statusCheckMs),
    authentication: { anonymous: { enabled: false } },
    enableServer: true,
  },
});
