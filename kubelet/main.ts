// The kubelet as a component of a node's agent: connects it with Docker and its HTTPS port.
import type { Client } from "../machinery/client.ts";
import type { World } from "../machinery/world.ts";
import { dockerRuntime } from "./docker/docker-runtime.ts";
import { type KubeletSettings, type KubeletView, kubelet } from "./kubelet.ts";
import { type HeartbeatTimes, defaultTimes } from "./node/heartbeat.ts";
import type { NodeContext } from "./node-context.ts";
import { kubeletAccess } from "./server/access.ts";
import { serveKubelet, type ServerListening } from "./server/kubelet-server.ts";
import { subPathMounts } from "./volumes/sub-path-mounts.ts";

/** The kubelet's part of an agent's configuration. */
interface KubeletOptions extends Omit<KubeletSettings, "podCidr" | "labels" | "times"> {
  readonly dockerSocket: string;
  readonly podCidr?: string;
  readonly pauseImage: string;
  /** The address of a registry that serves images of others. */
  readonly registry?: string;
  readonly tls: Pick<ServerListening, "ca" | "serving">;
  readonly labels?: Readonly<Record<string, string>>;
  /** Times that differ from Kubernetes' defaults. */
  readonly heartbeat?: Partial<HeartbeatTimes>;
  /** Resolves when the network enforces the policies of a pod at its address. */
  readonly admitToNetwork?: NodeContext["admitToNetwork"];
  /** How the node's proxy treats packets to a service. */
  readonly explainService?: KubeletView["explainService"];
  /** The metrics of other parts of this process, as Prometheus text; served beside the kubelet's own. */
  readonly componentMetrics?: () => Promise<string>;
  /** The traffic of services through this node, as Prometheus text. */
  readonly serviceMetrics?: () => Promise<string>;
}

/** Runs one node's kubelet until the signal aborts; its pods keep running. */
export function runKubelet(options: KubeletOptions, world: World, client: Client, signal: AbortSignal): Promise<void> {
  const {
    dockerSocket,
    nodeName,
    pauseImage,
    registry,
    tls,
    componentMetrics,
    explainService,
    serviceMetrics,
    podCidr,
    labels = {},
  } = options;
  const engine = { socket: dockerSocket, nodeName, pauseImage, ...(registry !== undefined && { registry }) };
  const runtime = dockerRuntime(engine, world);
  const settings = { ...options, podCidr, labels, times: { ...defaultTimes, ...options.heartbeat } };
  const check = kubeletAccess({ client, world, nodeName });
  const serve = (view: KubeletView, until: AbortSignal): Promise<void> =>
    serveKubelet(
      { ...tls, host: "0.0.0.0", check },
      { ...view, componentMetrics, explainService, ...(serviceMetrics && { serviceMetrics }) },
      until,
    );
  const ports = {
    ...(options.admitToNetwork && { admitToNetwork: options.admitToNetwork }),
    world,
    client,
    runtime,
    subPaths: subPathMounts(settings.stateDir),
  };
  return kubelet(settings, ports, serve, signal);
}
