// The rules of a cluster's scheduler as simulations, for the cluster autoscaler and the descheduler: where pods would
// be placed, also on nodes to come, and which rules about other pods do not hold.
import { persistentVolumeClaims } from "../api/core/persistentvolumeclaims.ts";
import type { DaemonSet, Node, Pod } from "../api/generated/types.ts";
import { keyOf, ownedBy } from "../api/meta.ts";
import type * as autoscaler from "../controllers/clusterautoscaler/ports.ts";
import { eligibilityOf, tolerationsOf } from "../controllers/daemonset/eligibility.ts";
import type * as descheduler from "../controllers/descheduler/ports.ts";
import { schedulerCache } from "../scheduler/cache.ts";
import type { KubeSchedulerConfiguration } from "../scheduler/configuration/configuration.ts";
import { configuredPlugins } from "../scheduler/configuration/settings.ts";
import { type SchedulerPlugin, skip, type Snapshot } from "../scheduler/framework.ts";
import { listerOver } from "../scheduler/listers.ts";
import { podInfoOf } from "../scheduler/node-info.ts";
import type { Placement } from "../scheduler/place.ts";
import { defaultPlugins } from "../scheduler/plugins/default.ts";
import type { Packing } from "../scheduler/plugins/resource-scores.ts";
import { preparedPlacer } from "../scheduler/prepared-place.ts";

/** Plugins by the `schedulerName` of pods. */
type Profiles = ReadonlyMap<string, readonly SchedulerPlugin[]>;
/** How a cluster's scheduler is configured. */
export interface SchedulerSetup {
  readonly packing: Packing;
  /** From a file; used instead of `packing`. Its extenders are not called. */
  readonly schedulerConfig?: KubeSchedulerConfiguration;
}

const defaultName = "default-scheduler";
const nameOf = ({ spec }: Pod): string => spec.schedulerName ?? defaultName;

/** Simulations evict nothing for the pods they try. */
function profilesOf({ packing, schedulerConfig }: SchedulerSetup): Profiles {
  const all: Profiles = schedulerConfig
    ? configuredPlugins(schedulerConfig)
    : new Map([[defaultName, defaultPlugins(packing)]]);
  const simulated = [...all].map(
    ([name, plugins]) => [name, plugins.map(({ postFilter: _, ...plugin }): SchedulerPlugin => plugin)] as const,
  );
  return new Map(simulated);
}

/** Places pods on a copy of a cluster's nodes, all of which are evaluated, as by a scheduler that keeps tables. */
function simulatedScheduler(profiles: Profiles, nodes: readonly Node[], lister?: Snapshot["lister"]) {
  const cache = schedulerCache(lister);
  const place = preparedPlacer();
  for (const node of nodes) cache.nodeSeen(node.metadata.name, node);
  /** Of a pod that another scheduler takes care of, those of the first profile. */
  const pluginsOf = (pod: Pod): readonly SchedulerPlugin[] =>
    profiles.get(nameOf(pod)) ?? profiles.values().next().value ?? [];
  return {
    cache,
    pluginsOf,
    add: (pod: Pod): void => cache.podSeen(keyOf(pod), pod),
    remove: (pod: Pod): void => cache.podSeen(keyOf(pod), undefined),
    place: (pod: Pod): Placement => place(pod, cache.snapshot(), pluginsOf(pod), { percentageOfNodesToScore: 100 }),
  };
}
type SimulatedScheduler = ReturnType<typeof simulatedScheduler>;

/** The pod that a daemon set would run on a node, bound to it. */
function daemonPod(set: DaemonSet, { metadata: { name: nodeName } }: Node): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = set.metadata;
  const spec = set.spec.template.spec!;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...{ name: `${name}-${nodeName}`, namespace, uid: `${uid}/${nodeName}`, resourceVersion, creationTimestamp },
      ownerReferences: [ownedBy(set)],
    },
    spec: { ...spec, nodeName, tolerations: [...tolerationsOf(spec)] },
  };
}

/** Without what reads claims: their volumes are taken to be available everywhere. Other kinds have no objects. */
const withoutClaims = (profiles: Profiles): Profiles =>
  new Map(
    [...profiles].map(([name, plugins]) => [
      name,
      plugins.filter(({ reads = [] }) => !reads.includes(persistentVolumeClaims)),
    ]),
  );

/** What the cluster autoscaler needs to know of the scheduler. */
export function schedulingSimulation(setup: SchedulerSetup): autoscaler.Simulation {
  const profiles = withoutClaims(profilesOf(setup));
  return {
    place({ nodes, pods }, waiting) {
      const { cache, add, place } = simulatedScheduler(profiles, nodes);
      for (const pod of pods) add(pod);
      return waiting.map((pod): autoscaler.Placement => {
        const placement = place(pod);
        if (placement.outcome === "unschedulable") {
          const { rejections, message } = placement.diagnosis;
          const reasons = new Set([...rejections.counts.keys()].flatMap(({ status }) => status.reasons));
          return { pod, reasons: reasons.size > 0 ? [...reasons] : [message] };
        }
        const { nodeName } = placement;
        cache.assume(pod, nodeName);
        return { pod, nodeName, reasons: [] };
      });
    },
    daemonPods: (sets, node) => sets.filter((set) => eligibilityOf(set)(node).runs).map((set) => daemonPod(set, node)),
  };
}

/** Why a plugin would keep a pod from its node, if the pod were not there yet. */
function rejectionOf(name: string, pod: Pod, { cache, pluginsOf }: SimulatedScheduler): string | undefined {
  const { preFilter, filter } = pluginsOf(pod).find((plugin) => plugin.name === name) ?? {};
  const snapshot = cache.snapshot();
  const node = snapshot.byName.get(pod.spec.nodeName ?? "");
  const info = podInfoOf(pod);
  const prepared = preFilter?.(info, snapshot);
  if (node === undefined || prepared === skip) return undefined;
  const rejection = prepared && "code" in prepared ? prepared : filter?.(prepared?.state, node, info);
  return rejection?.reasons.join(", ");
}

/** What the descheduler needs to know of the scheduler. */
export function reschedulingSimulation(setup: SchedulerSetup): descheduler.Simulation {
  const profiles = profilesOf(setup);
  return {
    reads: [...new Set([...profiles.values()].flat().flatMap(({ reads = [] }) => reads))],
    places: (pod) => profiles.has(nameOf(pod)),
    begin(cluster) {
      const scheduler = simulatedScheduler(profiles, cluster.nodes, listerOver(cluster.objectsOf));
      const { add, remove } = scheduler;
      return {
        add,
        remove,
        place(pod) {
          const placement = scheduler.place(pod);
          return placement.outcome === "placed"
            ? { nodeName: placement.nodeName }
            : { obstacle: placement.diagnosis.message };
        },
        violation(pod, rule) {
          remove(pod);
          const reason = rejectionOf(rule, pod, scheduler);
          add(pod);
          return reason;
        },
      };
    },
  };
}
