// Generated pods: what they request, where they may go, and which other pods they look at.
import type { Chance } from "./chance.ts";
import { gpu, hostname, images, nodeName, region, taintKeys, zone, zones } from "./nodes.ts";
import type { Feature, Manifest } from "./scenario.ts";

/** What a generator of pods draws from. */
export interface Draw {
  readonly chance: Chance;
  readonly has: (feature: Feature) => boolean;
  readonly nodeCount: number;
}

export const podNamespaces = ["default", "team-a", "team-b"] as const;
const topologyKeys = [hostname, zone, zone, region, "rack"] as const;
export const priorityClasses = { low: -10, middle: 100, high: 1000, patient: 2000 } as const;

function resources({ chance, has }: Draw): object {
  const requests = {
    ...chance.maybe(0.7, () => ({ cpu: chance.pick(["10m", "100m", "250m", "500m", "1", "1500m", "2"]) })),
    ...chance.maybe(0.7, () => ({ memory: chance.pick(["16Mi", "64Mi", "512Mi", "1Gi", "1500M", "3Gi"]) })),
    ...chance.maybe(0.1, () => ({ "ephemeral-storage": chance.pick(["100Mi", "2Gi"]) })),
  };
  const extended = {
    ...(has("extended") && chance.maybe(0.4, () => ({ [gpu]: chance.pick(["1", "2"]) }))),
    ...(has("extended") && "cpu" in requests && chance.maybe(0.15, () => ({ "hugepages-2Mi": "64Mi" }))),
  };
  return { requests: { ...requests, ...extended }, limits: extended };
}
const container = (draw: Draw, name: string, more: object = {}): object => ({
  name,
  image: draw.has("images") ? draw.chance.pick(images) : "app",
  resources: resources(draw),
  ...more,
});
const hostPort = (chance: Chance): object => ({
  containerPort: 80,
  hostPort: chance.pick([8080, 8081]),
  protocol: chance.pick(["TCP", "TCP", "UDP"]),
  ...chance.maybe(0.4, () => ({ hostIP: chance.pick(["127.0.0.1", "0.0.0.0", "10.0.0.1"]) })),
});

/** The pod as a unit requests more than its container. */
const podResources = ({ chance }: Draw): object => ({
  containers: [{ name: "c", image: "app", resources: { requests: { cpu: "50m", memory: "16Mi" } } }],
  resources: {
    requests: {
      ...chance.maybe(0.8, () => ({ cpu: chance.pick(["500m", "1", "3"]) })),
      memory: chance.pick(["128Mi", "2Gi"]),
    },
  },
});

function containers(draw: Draw): object {
  const { chance, has } = draw;
  if (has("podResources") && chance.of(0.5)) return podResources(draw);
  const isPort = has("ports") && chance.of(0.5);
  const sidecars = (): object => ({
    initContainers: chance.list(1, 3, (i) =>
      container(
        draw,
        `init-${i}`,
        chance.maybe(0.5, () => ({ restartPolicy: "Always" })),
      ),
    ),
  });
  return {
    containers: chance.list(1, 2, (i) =>
      container(draw, `c-${i}`, i === 0 && isPort ? { ports: [hostPort(chance)] } : {}),
    ),
    ...(has("sidecars") && chance.maybe(0.6, sidecars)),
    ...(has("overhead") && chance.maybe(0.6, () => ({ runtimeClassName: chance.pick(["heavy", "pinned"]) }))),
  };
}

function expression(chance: Chance): object {
  const [key, values] = chance.pick([
    [zone, ["a", "b", "c", "d"]],
    ["disk", ["ssd", "hdd"]],
    ["rack", ["r1", "r2", "r3"]],
    ["generation", ["1", "2", "10"]],
    ["absent", ["v"]],
  ] as const);
  const operator = chance.pick(
    key === "generation"
      ? (["Gt", "Lt", "In", "Exists"] as const)
      : (["In", "In", "NotIn", "Exists", "DoesNotExist"] as const),
  );
  if (operator === "Exists" || operator === "DoesNotExist") return { key, operator };
  if (operator === "Gt" || operator === "Lt") return { key, operator, values: [chance.pick(["1", "5", "0"])] };
  const some = chance.some<string>(values, 0.5);
  return { key, operator, values: some.length > 0 ? some : [values[0]] };
}
const field = ({ chance, nodeCount }: Draw): object => ({
  key: "metadata.name",
  operator: chance.pick(["In", "In", "NotIn"]),
  values: [nodeName(chance.int(0, nodeCount))],
});
const nodeTerm = (draw: Draw): object => ({
  ...draw.chance.maybe(0.85, () => ({ matchExpressions: draw.chance.list(1, 2, () => expression(draw.chance)) })),
  ...draw.chance.maybe(0.2, () => ({ matchFields: [field(draw)] })),
});
function nodeAffinity(draw: Draw): object {
  const { chance } = draw;
  return {
    ...chance.maybe(0.6, () => ({
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: chance.list(1, 2, () => nodeTerm(draw)) },
    })),
    ...chance.maybe(0.6, () => ({
      preferredDuringSchedulingIgnoredDuringExecution: chance.list(1, 3, () => ({
        weight: chance.pick([1, 10, 50, 100]),
        preference: nodeTerm(draw),
      })),
    })),
  };
}

export const podLabels = (chance: Chance): Record<string, string> => ({
  app: chance.pick(["web", "db", "cache"]),
  ...chance.maybe(0.5, () => ({ tier: chance.pick(["front", "back"]) })),
  ...chance.maybe(0.5, () => ({ version: chance.pick(["v1", "v2"]) })),
});
function labelSelector(chance: Chance): object {
  const shape = chance.int(0, 5);
  if (shape === 0) return { matchExpressions: [{ key: "tier", operator: chance.pick(["Exists", "DoesNotExist"]) }] };
  if (shape === 1)
    return {
      matchExpressions: [
        { key: "app", operator: chance.pick(["In", "NotIn"]), values: chance.pick([["web"], ["web", "db"]]) },
      ],
    };
  if (shape === 2) return { matchLabels: { app: "web", tier: "front" } };
  return { matchLabels: { app: chance.pick(["web", "db", "cache"]) } };
}
const podTerm = (chance: Chance): object => ({
  topologyKey: chance.pick(topologyKeys),
  ...chance.maybe(0.95, () => ({
    labelSelector: labelSelector(chance),
    ...chance.maybe(0.15, () =>
      chance.of(0.5) ? { matchLabelKeys: ["version"] } : { mismatchLabelKeys: [chance.pick(["version", "tier"])] },
    ),
  })),
  ...chance.maybe(0.25, () => ({ namespaces: chance.some(podNamespaces, 0.5) })),
  ...chance.maybe(0.2, () => ({
    namespaceSelector: chance.pick([
      {},
      { matchLabels: { team: "a" } },
      { matchExpressions: [{ key: "team", operator: "Exists" }] },
    ]),
  })),
});
const weighted = (chance: Chance): object => ({ weight: chance.pick([1, 10, 100]), podAffinityTerm: podTerm(chance) });
const podTerms = (chance: Chance): object => ({
  ...chance.maybe(0.55, () => ({
    requiredDuringSchedulingIgnoredDuringExecution: chance.list(1, 2, () => podTerm(chance)),
  })),
  ...chance.maybe(0.55, () => ({
    preferredDuringSchedulingIgnoredDuringExecution: chance.list(1, 2, () => weighted(chance)),
  })),
});

function spread(chance: Chance, topologyKey: string): object {
  const whenUnsatisfiable = chance.pick(["DoNotSchedule", "ScheduleAnyway"]);
  return {
    topologyKey,
    whenUnsatisfiable,
    maxSkew: chance.pick([1, 1, 2, 3]),
    labelSelector: labelSelector(chance),
    ...(whenUnsatisfiable === "DoNotSchedule" && chance.maybe(0.3, () => ({ minDomains: chance.int(1, 4) }))),
    ...chance.maybe(0.3, () => ({ nodeAffinityPolicy: chance.pick(["Honor", "Ignore"]) })),
    ...chance.maybe(0.3, () => ({ nodeTaintsPolicy: chance.pick(["Honor", "Ignore"]) })),
    ...chance.maybe(0.15, () => ({ matchLabelKeys: ["version"] })),
  };
}
const toleration = (chance: Chance): object => {
  const operator = chance.pick(["Exists", "Equal"]);
  return {
    key: chance.pick(taintKeys),
    operator,
    ...(operator === "Equal" && { value: chance.pick(["x", "y", ""]) }),
    ...chance.maybe(0.7, () => ({ effect: chance.pick(["NoSchedule", "PreferNoSchedule", "NoExecute"]) })),
  };
};

function affinity(draw: Draw): object {
  const { chance, has } = draw;
  const all = {
    ...(has("nodeAffinity") && chance.maybe(0.5, () => ({ nodeAffinity: nodeAffinity(draw) }))),
    ...(has("podAffinity") && chance.maybe(0.4, () => ({ podAffinity: podTerms(chance) }))),
    ...(has("podAntiAffinity") && chance.maybe(0.5, () => ({ podAntiAffinity: podTerms(chance) }))),
  };
  return Object.keys(all).length > 0 ? { affinity: all } : {};
}
const nodeSelector = (chance: Chance): object =>
  chance.pick<object>([{ disk: "ssd" }, { [zone]: chance.pick(zones) }, { rack: "r1", disk: "hdd" }]);

const disk = (chance: Chance): object =>
  chance.pick<object>([
    { gcePersistentDisk: { pdName: chance.pick(["x", "y"]), readOnly: chance.of(0.5) } },
    { awsElasticBlockStore: { volumeID: chance.pick(["x", "y"]) } },
    { iscsi: { targetPortal: "10.0.0.1", iqn: "iqn.2001-04.com.example:x", lun: 0, readOnly: chance.of(0.5) } },
    { rbd: { monitors: chance.pick([["m1"], ["m1", "m2"], ["m3"]]), image: "i", readOnly: chance.of(0.3) } },
  ]);

/** What all pods of one workload have in common. */
export function podTemplate(draw: Draw): {
  readonly metadata: { readonly namespace: string; readonly labels: object };
  readonly spec: object;
} {
  const { chance, has } = draw;
  return {
    metadata: { namespace: chance.of(0.7) ? "default" : chance.pick(podNamespaces), labels: podLabels(chance) },
    spec: {
      ...containers(draw),
      ...affinity(draw),
      ...(has("nodeAffinity") && chance.maybe(0.3, () => ({ nodeSelector: nodeSelector(chance) }))),
      ...(has("taints") && chance.maybe(0.6, () => ({ tolerations: chance.list(1, 2, () => toleration(chance)) }))),
      ...(has("spread") &&
        chance.maybe(0.7, () => ({
          topologySpreadConstraints: chance
            .some([hostname, zone, region, "rack"], 0.4)
            .map((key) => spread(chance, key)),
        }))),
      ...(has("priority") &&
        chance.maybe(0.7, () => ({ priorityClassName: chance.pick(["low", "middle", "high", "high", "patient"]) }))),
      ...(has("gates") && chance.maybe(0.3, () => ({ schedulingGates: [{ name: "example.com/quota" }] }))),
      ...(has("disks") && chance.maybe(0.7, () => ({ volumes: [{ name: "disk", ...disk(chance) }] }))),
      terminationGracePeriodSeconds: 0,
    },
  };
}
export type PodTemplate = ReturnType<typeof podTemplate>;

export const podOf = ({ metadata, spec }: PodTemplate, name: string, schedulerName: string): Manifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { ...spec, schedulerName },
});
