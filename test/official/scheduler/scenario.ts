// A cluster and the pods that arrive in it, generated from a seed.
import { type Chance, chanceOf } from "./chance.ts";
import { generatedNode, nodeName } from "./nodes.ts";
import { type Draw, podOf, podTemplate, type PodTemplate } from "./pods.ts";
import { claimVolumes, generatedStorage, type Storage } from "./volumes.ts";

/** An object as it is created. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly spec?: object;
  readonly status?: object;
  readonly [field: string]: unknown;
}

/** What a scenario is about. A few of them at a time, so that most pods still find a node. */
export const features = [
  "extended",
  "sidecars",
  "overhead",
  "images",
  "ports",
  "taints",
  "nodeAffinity",
  "podAffinity",
  "podAntiAffinity",
  "spread",
  "services",
  "volumes",
  "priority",
  "gates",
] as const;
export type Feature = (typeof features)[number];

export interface Scenario {
  readonly features: readonly Feature[];
  readonly nodes: readonly Manifest[];
  /** Everything but nodes and pods. */
  readonly objects: readonly Manifest[];
  /** Pods that have a node from the beginning. */
  readonly bound: readonly Manifest[];
  /** In the order in which they arrive. */
  readonly pods: readonly Manifest[];
}

/** Profiles of both schedulers: Kubernetes' default, and the one that fills nodes. */
export const profiles = { spreading: "default-scheduler", packing: "packing" } as const;

function withClaims(template: PodTemplate, chance: Chance, { claims }: Storage): PodTemplate {
  const some = chance.of(0.7) ? chance.list(1, 2, () => chance.pick(claims)) : [];
  return {
    metadata: { ...template.metadata, namespace: "default" },
    spec: { ...template.spec, ...(some.length > 0 && claimVolumes([...new Set(some)])) },
  };
}
const service = (chance: Chance, i: number): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: `s-${i}`, namespace: "default" },
  spec: { ports: [{ port: 80 }], selector: { app: chance.pick(["web", "db", "cache"]) } },
});

/** A budget that allows some of its pods to leave. */
const budget = (chance: Chance, i: number): Manifest => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: { name: `budget-${i}`, namespace: "default" },
  spec: { minAvailable: 1, selector: { matchLabels: { app: chance.pick(["web", "db", "cache"]) } } },
  status: { disruptionsAllowed: chance.pick([0, 0, 1, 2]), currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 },
});

/** A pod on a node, perhaps finished or terminating, perhaps resized. */
function boundPod(draw: Draw, template: PodTemplate, i: number, schedulerName: string): Manifest {
  const { chance, nodeCount } = draw;
  const pod = podOf(template, `bound-${i}`, schedulerName);
  const { schedulingGates: _, ...spec } = pod.spec as { readonly schedulingGates?: unknown };
  const phase = chance.pick(["Running", "Running", "Running", "Running", "Succeeded"]);
  return {
    ...pod,
    spec: { ...spec, nodeName: nodeName(chance.int(0, nodeCount - 1)) },
    status: { phase, startTime: `2026-01-01T00:00:${String(chance.int(0, 59)).padStart(2, "0")}Z` },
  };
}

interface PortUser {
  readonly nodeName: string;
  readonly containers: readonly { readonly ports?: unknown }[];
}
const usesPorts = ({ containers }: PortUser): boolean => containers.some(({ ports }) => ports !== undefined);
/** Two pods of one node never have the same port: only the first of a node keeps its ports. */
function withoutConflicts(bound: readonly Manifest[]): readonly Manifest[] {
  const taken = new Set<string>();
  return bound.map((pod) => {
    const spec = pod.spec as PortUser;
    if (!usesPorts(spec)) return pod;
    const isFirst = !taken.has(spec.nodeName);
    taken.add(spec.nodeName);
    if (isFirst) return pod;
    return { ...pod, spec: { ...spec, containers: spec.containers.map(({ ports: _, ...other }) => other) } };
  });
}

/** All features of `only` if it has some, otherwise some features but none of `without`. */
export interface Choice {
  readonly only: readonly Feature[];
  readonly without: readonly Feature[];
}
export function generatedScenario(seed: number, { only, without }: Choice): Scenario {
  const chance = chanceOf(seed);
  const drawn = chance.some(features, 0.25).filter((feature) => !without.includes(feature));
  const chosen = only.length > 0 ? only : drawn;
  const has = (feature: Feature): boolean => chosen.includes(feature);
  const nodeCount = chance.of(0.15) ? chance.int(11, 24) : chance.int(1, 9);
  const draw: Draw = { chance, has, nodeCount };
  const schedulerName = chance.pick(Object.values(profiles));
  const storage = has("volumes") ? generatedStorage(chance, nodeCount) : { objects: [], claims: [] };
  const templates = chance.list(2, 6, () => podTemplate(draw));
  const template = (): PodTemplate =>
    has("volumes") ? withClaims(chance.pick(templates), chance, storage) : chance.pick(templates);
  return {
    features: chosen,
    nodes: Array.from({ length: nodeCount }, (_, i) => generatedNode(chance, i, has)),
    objects: [
      ...storage.objects,
      ...(has("services") ? chance.list(1, 3, (i) => service(chance, i)) : []),
      ...(has("priority") ? chance.list(0, 2, (i) => budget(chance, i)) : []),
    ],
    bound: withoutConflicts(chance.list(0, 2 * nodeCount, (i) => boundPod(draw, template(), i, schedulerName))),
    pods: chance.list(8, 20, (i) => podOf(template(), `pod-${i}`, schedulerName)),
  };
}
