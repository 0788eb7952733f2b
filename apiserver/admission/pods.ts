// Admission of pods: service account (KEP-1205), priority (KEP-268, KEP-902), tolerations, runtime class (KEP-688) and
// topology (KEP-4742); and of nodes, which take no pods before they are ready.
import type {
  Container,
  Node,
  Pod,
  PodSpec,
  PriorityClass,
  ProjectedVolumeSource,
  RuntimeClass,
  ServiceAccount,
  Taint,
  Toleration,
} from "../../api/generated/types.ts";
import { serviceAccounts } from "../../api/core/serviceaccounts.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject } from "../../api/meta.ts";
import type { World } from "../../machinery/world.ts";
import { type AdmissionAttributes, type AdmissionPlugin, markedClass } from "../registry/admission.ts";
import { objectOf, prefixOf } from "../registry/codec.ts";
import { generatedName } from "../registry/prepare.ts";
import { forbidden } from "../registry/refusals.ts";
import { priorityClasses, systemPriorities } from "../../api/scheduling/priorityclasses.ts";
import { isMirrorPod } from "../../api/core/pod/mirror.ts";
import { secretNamesOf } from "../../api/core/pod/references.ts";
import { pods } from "../../api/core/pods.ts";
import type { Present } from "../storage/storage.ts";
import { sameJson } from "../../api/hash.ts";
import { runtimeClasses } from "../../api/node/runtimeclasses.ts";
import { nodes } from "../../api/core/nodes.ts";

const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** The volume with a token and the cluster's certificate. This expiry marks a token as automatically requested. */
const apiAccess: ProjectedVolumeSource = {
  defaultMode: 0o644,
  sources: [
    { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
    { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
    {
      downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] },
    },
  ],
};

const isWithoutToken = ({ volumeMounts = [] }: Container): boolean =>
  !volumeMounts.some((m) => m.mountPath === mountPath);

/** The spec with the token in every container that has nothing else in its place. */
function withToken(spec: PodSpec, newName: () => string): PodSpec {
  const { containers, initContainers = [], volumes = [] } = spec;
  if (![...containers, ...initContainers].some(isWithoutToken)) return spec;
  const there = volumes.find((v) => v.name.startsWith(volumePrefix));
  const name = there?.name ?? newName();
  const mounted = (c: Container): Container =>
    isWithoutToken(c) ? { ...c, volumeMounts: [...(c.volumeMounts ?? []), { name, readOnly: true, mountPath }] } : c;
  return {
    ...spec,
    containers: containers.map(mounted),
    ...(initContainers.length > 0 && { initContainers: initContainers.map(mounted) }),
    volumes: there ? volumes : [...volumes, { name, projected: apiAccess }],
  };
}

/** The spec of a pod that runs as this account. Fields of the pod take precedence over the account's. Pure. */
export function runningAs(spec: PodSpec, account: ServiceAccount, newName: () => string): PodSpec {
  const automount = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  const { imagePullSecrets = [] } = account;
  return {
    ...(automount ? withToken(spec, newName) : spec),
    ...(!spec.imagePullSecrets?.length && imagePullSecrets.length > 0 && { imagePullSecrets }),
  };
}

/** Attempts to find a namespace's default account, which a controller creates after the namespace. */
const accountAttempts = 10;
const shortestWaitMs = 100;
const longestWaitMs = 200;

async function accountOf(
  pod: Pod,
  name: string,
  world: World,
  present: AdmissionAttributes["present"],
): Promise<ServiceAccount | undefined> {
  const { get } = await present();
  const tries = name === "default" ? accountAttempts : 1;
  for (let tried = 1; ; tried++) {
    const stored = get(prefixOf(serviceAccounts, pod.metadata.namespace) + name);
    if (stored || tried === tries) return stored && objectOf<ServiceAccount>(stored);
    await world.clock.sleep(shortestWaitMs + world.random.next() * (longestWaitMs - shortestWaitMs));
  }
}

/** Mirrors of static pods have no account, and nothing of one. */
function checkMirror(r: ResourceDefinition, pod: Pod): void {
  const { serviceAccountName, volumes = [] } = pod.spec;
  const refused = (because: string): Error => forbidden(r, pod.metadata.name, `a mirror pod may not ${because}`);
  if (serviceAccountName) throw refused("reference service accounts");
  if (secretNamesOf(pod).length > 0) throw refused("reference secrets");
  if (volumes.some((v) => v.projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken)))
    throw refused("use ServiceAccountToken volume projections");
}

/** Kubernetes' admission plugin ServiceAccount. */
export const serviceAccount = (world: World): AdmissionPlugin => ({
  name: "ServiceAccount",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async mutate(object, { r, present }) {
    const pod = object as Pod;
    // Validation refuses a pod without a spec.
    if (!(pod as Partial<Pod>).spec) return object;
    if (isMirrorPod(pod)) {
      checkMirror(r, pod);
      return object;
    }
    const { name, namespace } = pod.metadata;
    const accountName = pod.spec.serviceAccountName ?? "default";
    const account = await accountOf(pod, accountName, world, present);
    if (!account)
      throw forbidden(
        r,
        name,
        `error looking up service account ${namespace}/${accountName}: serviceaccount "${accountName}" not found`,
      );
    const spec = runningAs(pod.spec, account, () => generatedName(volumePrefix, world.random));
    return { ...pod, spec } as ApiObject;
  },
});

/** What a class gives to those who have it. */
export type Worth = Pick<PriorityClass, "value" | "preemptionPolicy">;
export const worthOf = ({ value = 0 }: Worth): number => value;

/** Of two default classes the one with the lower value. */
const usualClass = markedClass(priorityClasses, {
  isMarked: (c) => c.globalDefault === true,
  precedes: (a, b) => worthOf(a) < worthOf(b),
});
/** The priority without a default class. */
const unclassed: Worth = { value: 0, preemptionPolicy: "PreemptLowerPriority" };

const refusal = (what: string, requested: string | number, computed: string | number): string =>
  `the ${what} (${requested}) must not be provided in pod spec; priority admission controller computed ${computed} from the given PriorityClass name`;

/** The spec of a pod of this class, or why it contradicts its class. Pure. */
export function withPriority(spec: PodSpec, of: Worth): PodSpec | string {
  const { preemptionPolicy = spec.preemptionPolicy } = of;
  const priority = worthOf(of);
  if (spec.priority !== undefined && spec.priority !== priority)
    return refusal("integer value of priority", spec.priority, priority);
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    return refusal("string value of PreemptionPolicy", spec.preemptionPolicy, preemptionPolicy ?? "");
  return { ...spec, priority, ...(preemptionPolicy && { preemptionPolicy }) };
}

function priorityClassOf(r: ResourceDefinition, { metadata, spec }: Prioritized, { get }: Present): PriorityClass {
  const { priorityClassName: name } = spec;
  const stored = get(prefixOf(priorityClasses) + name);
  if (!stored) throw forbidden(r, metadata.name, `no PriorityClass with name ${name} was found`);
  return objectOf<PriorityClass>(stored);
}

type Prioritized = ApiObject & { readonly spec: { readonly priorityClassName?: string } };
/** The object with the priority of its class, or of the default one. */
export function prioritized<T extends Prioritized>(
  r: ResourceDefinition,
  object: T,
  present: Present,
  withPriority: (spec: T["spec"], of: Worth) => T["spec"] | string,
): T {
  const named = object.spec.priorityClassName ? priorityClassOf(r, object, present) : undefined;
  const usual = named ? undefined : usualClass(present);
  const spec = withPriority(object.spec, named ?? usual ?? unclassed);
  if (typeof spec === "string") throw forbidden(r, object.metadata.name, spec);
  return { ...object, spec: usual ? { ...spec, priorityClassName: usual.metadata.name } : spec };
}

/** A manifest that replaces the pod lacks the admitted values: they are kept. */
function keptFrom(old: Pod, pod: Pod): Pod {
  const { priority, preemptionPolicy } = old.spec;
  const missing = {
    ...(pod.spec.priority === undefined && priority !== undefined && { priority }),
    ...(pod.spec.preemptionPolicy === undefined && preemptionPolicy !== undefined && { preemptionPolicy }),
  };
  return Object.keys(missing).length === 0 ? pod : { ...pod, spec: { ...pod.spec, ...missing } };
}

/** Kubernetes' admission plugin Priority: its part for pods. */
export const priority: AdmissionPlugin = {
  name: "Priority",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async mutate(object, { old, subresource, present }) {
    const pod = object as Pod;
    // Validation refuses a pod without a spec.
    if (!(pod as Partial<Pod>).spec || subresource !== undefined) return object;
    return (old ? keptFrom(old as Pod, pod) : prioritized(pods, pod, await present(), withPriority)) as ApiObject;
  },
};

/** Its part for classes: at most one is the default, and system classes cannot be deleted. */
export const onePriorityForAll: AdmissionPlugin = {
  name: "Priority",
  operations: ["CREATE", "UPDATE", "DELETE"],
  handles: (r) => r.group === priorityClasses.group && r.plural === priorityClasses.plural,
  async validate(object, { r, name, operation, present }) {
    if (operation === "DELETE") {
      if (systemPriorities[name] === undefined) return;
      throw forbidden(r, name, "this is a system priority class and cannot be deleted");
    }
    if ((object as PriorityClass).globalDefault !== true) return;
    const other = usualClass(await present())?.metadata.name;
    if (other !== undefined && other !== name)
      throw forbidden(r, name, `PriorityClass ${other} is already marked as default. Only one default can exist`);
  },
};

const nodeTaintKeys: readonly string[] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/** An empty key tolerates every taint, an empty effect all of them. */
const toleratesEviction =
  (key: string) =>
  (t: Toleration): boolean =>
    (!t.key || t.key === key) && (!t.effect || t.effect === "NoExecute");

/** The tolerations of a pod, with default ones for nodes that are not ready or unreachable. Pure. */
export function withDefaultTolerations(held: readonly Toleration[], tolerationSeconds: number): readonly Toleration[] {
  const missing = nodeTaintKeys.filter((key) => !held.some(toleratesEviction(key)));
  const added = missing.map((key): Toleration => ({ key, operator: "Exists", effect: "NoExecute", tolerationSeconds }));
  return [...held, ...added];
}

/** Kubernetes' DefaultTolerationSeconds, with the seconds of this cluster. */
export const defaultTolerations = (tolerationSeconds: number): AdmissionPlugin => ({
  name: "DefaultTolerationSeconds",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  // Also on update: a manifest that replaces the pod lacks them.
  mutate(object) {
    const { spec } = object as Partial<Pod>;
    // Validation refuses a pod without a spec.
    if (!spec) return object;
    const held = spec.tolerations ?? [];
    const tolerations = withDefaultTolerations(held, tolerationSeconds);
    return tolerations.length === held.length ? object : ({ ...object, spec: { ...spec, tolerations } } as ApiObject);
  },
});

const isNoLonger = (a: number | undefined, b: number | undefined): boolean =>
  b === undefined || (a !== undefined && a <= b);

/** Whether `more` tolerates everything that `less` does. */
function covers(more: Toleration, less: Toleration): boolean {
  if (sameJson(more, less)) return true;
  const everyKey = !more.key && more.operator === "Exists";
  if (more.key !== less.key && !everyKey) return false;
  if (more.effect && more.effect !== less.effect) return false;
  if (more.effect === "NoExecute" && !isNoLonger(less.tolerationSeconds, more.tolerationSeconds)) return false;
  if (more.operator === "Exists") return true;
  return less.operator === "Equal" && (less.value ?? "") === (more.value ?? "");
}

/** The tolerations of both, without those that others cover. Of equal ones the first is kept. Pure. */
export function mergedTolerations(own: readonly Toleration[], added: readonly Toleration[]): readonly Toleration[] {
  const all = [...own, ...added];
  const merged: Toleration[] = [];
  for (const [i, t] of all.entries()) {
    const later = all.slice(i + 1).filter((other) => !sameJson(other, t));
    if (![...merged, ...later].some((other) => covers(other, t))) merged.push(t);
  }
  return merged;
}

/** Why the node selectors of the pod and of its runtime class conflict, if they do. */
function conflictOf(own: PodSpec["nodeSelector"] = {}, added: PodSpec["nodeSelector"] = {}): string | undefined {
  const key = Object.keys(added).find((k) => own[k] !== undefined && own[k] !== added[k]);
  return (
    key &&
    `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${added[key]}; pod.spec.nodeSelector[${key}] = ${own[key]}`
  );
}

const mismatch = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const unfounded = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

/** The spec with the overhead and scheduling of the runtime class, or why they conflict. Pure. */
export function withRuntime(spec: PodSpec, { overhead, scheduling }: RuntimeClass): PodSpec | string {
  const podFixed = overhead?.podFixed;
  if (overhead && spec.overhead && !sameJson(spec.overhead, podFixed ?? {})) return mismatch;
  const conflict = conflictOf(spec.nodeSelector, scheduling?.nodeSelector);
  if (conflict !== undefined) return conflict;
  const { nodeSelector, tolerations } = scheduling ?? {};
  return {
    ...spec,
    ...(podFixed && { overhead: podFixed }),
    ...(nodeSelector && { nodeSelector: { ...spec.nodeSelector, ...nodeSelector } }),
    ...(tolerations && { tolerations: mergedTolerations(spec.tolerations ?? [], tolerations) }),
  };
}

async function runtimeClassOf(
  pod: ApiObject,
  name: string,
  present: AdmissionAttributes["present"],
): Promise<RuntimeClass> {
  const stored = (await present()).get(prefixOf(runtimeClasses) + name);
  if (!stored) throw forbidden(pods, pod.metadata.name, `pod rejected: RuntimeClass "${name}" not found`);
  return objectOf<RuntimeClass>(stored);
}

/** Kubernetes' admission plugin RuntimeClass. */
export const runtimeClass: AdmissionPlugin = {
  name: "RuntimeClass",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  async mutate(object, { r, present }) {
    const { spec } = object as Partial<Pod>;
    if (spec?.runtimeClassName === undefined) return object;
    const completed = withRuntime(spec, await runtimeClassOf(object, spec.runtimeClassName, present));
    if (typeof completed === "string") throw forbidden(r, object.metadata.name, completed);
    return { ...object, spec: completed } as ApiObject;
  },
  // Only the runtime class sets the overhead of a pod.
  async validate(object, { r, present }) {
    const { overhead, runtimeClassName: name } = (object as Pod).spec;
    if (overhead === undefined) return;
    const founded = name !== undefined && (await runtimeClassOf(object, name, present)).overhead !== undefined;
    if (!founded) throw forbidden(r, object.metadata.name, unfounded);
  },
};

const unproven: Taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };

/** Kubernetes' TaintNodesByCondition. The node lifecycle controller removes the taint once the node is ready. */
export const unprovenNodes: AdmissionPlugin = {
  name: "TaintNodesByCondition",
  operations: ["CREATE"],
  handles: (r) => r.group === "" && r.plural === "nodes",
  mutate(object) {
    const node = object as Node;
    const { taints = [] } = node.spec ?? {};
    if (taints.some((t) => t.key === unproven.key && t.effect === unproven.effect)) return object;
    return { ...node, spec: { ...node.spec, taints: [...taints, unproven] } } as ApiObject;
  },
};

const places = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

async function placed(pod: Pod, present: AdmissionAttributes["present"]): Promise<ApiObject> {
  const stored = (await present()).get(prefixOf(nodes) + pod.spec.nodeName!);
  const { labels = {} } = stored ? objectOf(stored).metadata : {};
  const topology = places
    .filter((place) => labels[place] !== undefined)
    .map((place) => [place, labels[place]!] as const);
  if (topology.length === 0) return pod as ApiObject;
  const { metadata } = pod;
  return {
    ...pod,
    metadata: { ...metadata, labels: { ...metadata.labels, ...Object.fromEntries(topology) } },
  } as ApiObject;
}

/** Kubernetes' PodTopologyLabels (KEP-4742): copies the zone and region of the node to the pod's labels. */
export const podTopology: AdmissionPlugin = {
  name: "PodTopologyLabels",
  operations: ["CREATE", "UPDATE"],
  handles: (r) => r.group === "" && r.plural === "pods",
  // Most new pods are not assigned to a node yet.
  mutate: (object, { old, subresource, present }) =>
    (object as Partial<Pod>).spec?.nodeName && (!old || subresource === "binding")
      ? placed(object as Pod, present)
      : object,
};
