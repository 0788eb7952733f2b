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
  /** It is deleted at once; what has a finalizer or time to end stays and is terminating. */
  readonly isDeleted?: boolean;
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
  "podResources",
  "resize",
  "terminating",
  "disks",
  "changes",
] as const;
export type Feature = (typeof features)[number];

export interface Scenario {
  readonly features: readonly Feature[];
  readonly nodes: readonly Manifest[];
  /** Everything but nodes and pods. */
  readonly objects: readonly Manifest[];
  /** Pods that have a node from the beginning. */
  readonly bound: readonly Manifest[];
  /** Pods in the order in which they arrive, and between them nodes that change and pods that leave. */
  readonly steps: readonly Manifest[];
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

/** Another amount than requested is allocated, and a third one in force. */
function resized(chance: Chance, spec: object): object {
  const amounts = (): object => ({ cpu: chance.pick(["100m", "1", "2"]), memory: chance.pick(["64Mi", "1Gi"]) });
  const status = (name: string): object => ({
    ...{ name, image: "app", imageID: "", ready: true, restartCount: 0, started: true },
    ...chance.maybe(0.7, () => ({ allocatedResources: amounts() })),
    ...chance.maybe(0.7, () => ({ resources: { requests: amounts() } })),
  });
  const names = (spec as { readonly containers: readonly { readonly name: string }[] }).containers.map((c) => c.name);
  const reason = chance.pick(["Infeasible", "Deferred"]);
  return {
    containerStatuses: names.map(status),
    ...chance.maybe(0.4, () => ({ conditions: [{ type: "PodResizePending", status: "True", reason }] })),
  };
}

/** A pod on a node, perhaps finished or terminating, perhaps resized. */
function boundPod(draw: Draw, template: PodTemplate, i: number, schedulerName: string): Manifest {
  const { chance, has, nodeCount } = draw;
  const pod = podOf(template, `bound-${i}`, schedulerName);
  const { schedulingGates: _, ...spec } = pod.spec as { readonly schedulingGates?: unknown };
  const phase = chance.pick(["Running", "Running", "Running", "Running", "Succeeded"]);
  const startTime = `2026-01-01T00:00:${String(chance.int(0, 59)).padStart(2, "0")}Z`;
  // Preemption would wait for pods that no kubelet ends.
  const isDeleted = has("terminating") && !has("priority") && chance.of(0.3);
  return {
    ...pod,
    spec: {
      ...spec,
      nodeName: nodeName(chance.int(0, nodeCount - 1)),
      ...(isDeleted && { terminationGracePeriodSeconds: 30 }),
      ...(has("priority") && chance.maybe(0.8, () => ({ priorityClassName: chance.pick(["low", "middle"]) }))),
    },
    status: { phase, startTime, ...(has("resize") && resized(chance, spec)) },
    ...(isDeleted && { isDeleted }),
  };
}

interface Exclusive {
  readonly nodeName: string;
  readonly containers: readonly { readonly ports?: unknown }[];
  readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[];
}
/**
 * What no scheduler would have bound is left out: only the first pod of a node keeps its ports, and only the first with
 * a claim its volumes.
 */
function withoutConflicts(bound: readonly Manifest[]): readonly Manifest[] {
  const taken = new Set<string>();
  const take = (names: readonly string[]): boolean => {
    const isFree = names.every((name) => !taken.has(name));
    for (const name of names) taken.add(name);
    return isFree;
  };
  return bound.map((pod) => {
    const { containers, volumes = [], ...spec } = pod.spec as Exclusive;
    const hasPorts = containers.some(({ ports }) => ports !== undefined);
    const keepsPorts = !hasPorts || take([spec.nodeName]);
    const keepsVolumes = take(
      volumes.map((v) => v.persistentVolumeClaim?.claimName ?? "").filter((name) => name !== ""),
    );
    return {
      ...pod,
      spec: {
        ...spec,
        containers: keepsPorts ? containers : containers.map(({ ports: _, ...other }) => other),
        ...(keepsVolumes && volumes.length > 0 && { volumes }),
      },
    };
  });
}

/** A node that joins, changes or leaves, or a pod that leaves. Objects that are not there are left out. */
function changeAfter(draw: Draw, podCount: number): Manifest {
  const { chance, has, nodeCount } = draw;
  const kind = chance.int(0, 9);
  if (kind > 2) return generatedNode(chance, chance.int(0, nodeCount), has);
  if (kind === 0) return { ...generatedNode(chance, chance.int(0, nodeCount), has), isDeleted: true };
  const name = chance.pick([`pod-${chance.int(0, podCount)}`, `bound-${chance.int(0, nodeCount)}`]);
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "default" }, isDeleted: true };
}

/** All features of `only` if it has some, otherwise some features but none of `without`. */
export interface Choice {
  readonly only: readonly Feature[];
  readonly without: readonly Feature[];
}
export function generatedScenario(seed: number, { only, without }: Choice): Scenario {
  const chance = chanceOf(seed);
  const drawn = chance.some(features, 0.25).filter((feature) => !without.includes(feature));
  // kube-scheduler counts the nodes with an image again only for nodes that change themselves.
  const isConstant = drawn.includes("images");
  const chosen = only.length > 0 ? only : drawn.filter((feature) => !(isConstant && feature === "changes"));
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
    bound: withoutConflicts(
      chance.list(0, (has("priority") ? 4 : 2) * nodeCount, (i) => boundPod(draw, template(), i, schedulerName)),
    ),
    steps: chance
      .list(8, 20, (i) => podOf(template(), `pod-${i}`, schedulerName))
      .flatMap((pod, i) => (has("changes") && chance.of(0.3) ? [changeAfter(draw, i), pod] : [pod])),
  };
}
