// GET /runningpods and /configz: what the engine runs, whatever was asked for, and how the kubelet is set. Pure.
import type { KubeletSettings } from "../kubelet.ts";
import { isRunning } from "../pod/runs.ts";
import type { Inventory } from "../runtime.ts";

/** The pods of which anything runs, as far as the engine knows them. */
export function runningPods({ containers }: Inventory): object {
  const items = [...Map.groupBy(containers.filter(isRunning), (run) => run.pod.uid).values()].map((runs) => ({
    metadata: { ...runs[0]!.pod },
    spec: { containers: runs.map(({ name, image }) => ({ name, image, resources: {} })) },
    status: {},
  }));
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

const seconds = (ms: number): string => `${ms / 1_000}s`;
/** The settings, under the names they have in a kubelet's configuration. */
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
