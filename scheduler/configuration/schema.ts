// The structure of kube-scheduler's configuration file, for strict decoding. Source: the reference of
// kubescheduler.config.k8s.io/v1.
import type { Schema } from "../../api/schema.ts";

const text: Schema = { type: "string" };
const flag: Schema = { type: "boolean" };
const int32: Schema = { type: "integer", format: "int32" };
const int64: Schema = { type: "integer", format: "int64" };
const listOf = (items: Schema): Schema => ({ type: "array", items });
const struct = (goName: string, properties: Readonly<Record<string, Schema>>): Schema => ({
  type: "object",
  goName,
  properties,
});
const core = (name: string): Schema => ({ $ref: `#/components/schemas/io.k8s.api.core.v1.${name}` });

/** The points at which plugins can be enabled one by one, in the order in which kube-scheduler fills them. */
export const extensionPoints = [
  "preFilter",
  "filter",
  "postFilter",
  "reserve",
  "preScore",
  "score",
  "preBind",
  "bind",
  "postBind",
  "permit",
  "preEnqueue",
  "queueSort",
] as const;
export type ExtensionPoint = (typeof extensionPoints)[number];

const plugin = struct("Plugin", { name: text, weight: int32 });
const pluginSet = struct("PluginSet", { enabled: listOf(plugin), disabled: listOf(plugin) });
/** The last two belong to a gate of kube-scheduler that is off by default; no plugin here has such a point. */
const allPoints = [...extensionPoints, "multiPoint", "placementGenerate", "placementScore"];
const profile = struct("KubeSchedulerProfile", {
  schedulerName: text,
  percentageOfNodesToScore: int32,
  plugins: struct("Plugins", Object.fromEntries(allPoints.map((point) => [point, pluginSet]))),
  pluginConfig: listOf(
    struct("PluginConfig", {
      name: text,
      args: {},
    }),
  ),
});

const extender = struct("Extender", {
  ...{ urlPrefix: text, filterVerb: text, preemptVerb: text, prioritizeVerb: text, bindVerb: text, weight: int64 },
  ...{ enableHTTPS: flag, httpTimeout: text, nodeCacheCapable: flag, ignorable: flag },
  tlsConfig: struct("ExtenderTLSConfig", {
    ...{ insecure: flag, serverName: text, certFile: text, keyFile: text, caFile: text },
    ...{ certData: { type: "string", format: "byte" }, keyData: { type: "string", format: "byte" } },
    caData: { type: "string", format: "byte" },
  }),
  managedResources: listOf(struct("ExtenderManagedResource", { name: text, ignoredByScheduler: flag })),
});

const typeMeta = { apiVersion: text, kind: text };
export const configurationSchema: Schema = struct("KubeSchedulerConfiguration", {
  ...typeMeta,
  parallelism: int32,
  leaderElection: struct("LeaderElectionConfiguration", {
    ...{ leaderElect: flag, leaseDuration: text, renewDeadline: text, retryPeriod: text },
    ...{ resourceLock: text, resourceName: text, resourceNamespace: text },
  }),
  clientConnection: struct("ClientConnectionConfiguration", {
    ...{ kubeconfig: text, acceptContentTypes: text, contentType: text, qps: { type: "number" }, burst: int32 },
  }),
  ...{ enableProfiling: flag, enableContentionProfiling: flag, delayCacheUntilActive: flag },
  ...{ percentageOfNodesToScore: int32, podInitialBackoffSeconds: int64, podMaxBackoffSeconds: int64 },
  profiles: listOf(profile),
  extenders: listOf(extender),
});

const args = (name: string, properties: Readonly<Record<string, Schema>>): readonly [string, Schema] => [
  name,
  struct(`${name}Args`, { ...typeMeta, ...properties }),
];
const shape = listOf(struct("UtilizationShapePoint", { utilization: int32, score: int32 }));
const resources = listOf(struct("ResourceSpec", { name: text, weight: int64 }));

/** The arguments of plugins, by plugin name. */
export const argumentSchemas: ReadonlyMap<string, Schema> = new Map([
  args("DefaultPreemption", { minCandidateNodesPercentage: int32, minCandidateNodesAbsolute: int32 }),
  args("DynamicResources", { filterTimeout: text, bindingTimeout: text }),
  args("InterPodAffinity", { hardPodAffinityWeight: int32, ignorePreferredTermsOfExistingPods: flag }),
  args("NodeAffinity", { addedAffinity: core("NodeAffinity") }),
  args("NodeResourcesBalancedAllocation", { resources }),
  args("NodeResourcesFit", {
    ...{ ignoredResources: listOf(text), ignoredResourceGroups: listOf(text) },
    scoringStrategy: struct("ScoringStrategy", {
      type: { type: "string", goName: "ScoringStrategyType" },
      resources,
      requestedToCapacityRatio: struct("RequestedToCapacityRatioParam", { shape }),
    }),
  }),
  args("PodTopologySpread", {
    defaultConstraints: listOf(core("TopologySpreadConstraint")),
    defaultingType: { type: "string", goName: "PodTopologySpreadConstraintsDefaulting" },
  }),
  args("VolumeBinding", { bindTimeoutSeconds: int64, shape }),
]);
