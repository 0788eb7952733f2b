// The kubelet as a component of a node's agent: connects it with Docker and its HTTPS port.
import type { Client } from "../machinery/client.ts";
import type { World } from "../machinery/world.ts";
import { dockerRuntime } from "./docker/docker-runtime.ts";
import { type KubeletView, kubelet } from "./kubelet.ts";
import { type HeartbeatTimes, defaultTimes } from "./node/heartbeat.ts";
import type { Capacity } from "./node/node-status.ts";
import { serveKubelet, type ServerPki } from "./server/kubelet-server.ts";

/** The kubelet's part of an agent's configuration. */
interface KubeletOptions {
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly kubeletPort: number;
  readonly dockerSocket: string;
  readonly capacity: Capacity;
  readonly podCidr?: string;
  readonly clusterDns: string;
  readonly clusterDomain: string;
  readonly pauseImage: string;
  readonly stateDir: string;
  readonly pki: ServerPki;
  readonly labels?: Readonly<Record<string, string>>;
  /** Times that differ from Kubernetes' defaults. */
  readonly heartbeat?: Partial<HeartbeatTimes>;
  /** The metrics of other parts of this process, as Prometheus text; served beside the kubelet's own. */
  readonly componentMetrics?: () => Promise<string>;
}

/** Runs one node's kubelet until the signal aborts; its pods keep running. */
export function runKubelet(options: KubeletOptions, world: World, client: Client, signal: AbortSignal): Promise<void> {
  const { nodeName, nodeIp, kubeletPort, capacity, podCidr, clusterDns, clusterDomain, stateDir } = options;
  const runtime = dockerRuntime({ socket: options.dockerSocket, nodeName, pauseImage: options.pauseImage }, world);
  const settings = {
    nodeName,
    nodeIp,
    kubeletPort,
    capacity,
    podCidr,
    clusterDns,
    clusterDomain,
    stateDir,
    labels: options.labels ?? {},
    times: { ...defaultTimes, ...options.heartbeat },
  };
  const serve = (view: KubeletView, until: AbortSignal): Promise<void> =>
    serveKubelet(
      options.pki,
      "0.0.0.0",
      { ...view, ...(options.componentMetrics && { componentMetrics: options.componentMetrics }) },
      until,
    );
  return kubelet(settings, { world, client, runtime }, serve, signal);
}
