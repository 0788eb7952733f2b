// Finds the node of one pod with the plugins of its profile and the extenders that are interested in it.
import type { Pod } from "../api/generated/types.ts";
import type { Key } from "../api/meta.ts";
import type { DecisionRecord } from "../api/explanation/decisions.ts";
import type { DecisionLog } from "../machinery/decisions.ts";
import type { Binding } from "./binding.ts";
import type { Extender } from "./extenders/extender.ts";
import { extenderBinder, placeWithExtenders } from "./extenders/place.ts";
import { podInfoOf } from "./node-info.ts";
import type { Placed, Placement } from "./place.ts";
import type { CyclePorts } from "./ports.ts";
import { preparedPlacer } from "./prepared-place.ts";
import type { Profile } from "./profiles.ts";

export interface CycleOptions {
  /** How many of the nodes must pass before scoring; 0, the default, adapts it to the size of the cluster. */
  readonly percentageOfNodesToScore?: number;
  /** The same by the name of a profile, where it differs. */
  readonly percentages?: Readonly<Record<string, number>>;
  /** Take part in the decisions about pods of all profiles, if they are interested in them. */
  readonly extenders?: readonly Extender[];
  /** Receives every decision, with the best scores or the reasons against some nodes. */
  readonly decisions?: DecisionLog;
}
interface Decided {
  readonly placement: Placement;
  /** Why a pod that found a node is not bound to it. */
  readonly inVain?: string;
  readonly explanation: () => Pick<DecisionRecord, "because" | "actions">;
}
export interface PodDecider {
  /** A promise only where extenders take part: otherwise nothing happens between the snapshot and what is returned. */
  place(pod: Pod, profile: Profile): Placement | Promise<Placement>;
  bindingOf(pod: Pod, profile: Profile, placed: Placed): Binding;
  record(key: Key, profile: Profile, decided: Decided): void;
}

/** Keeps from pod to pod what the next decisions can use. */
export function podDecider(
  { view, world, cache, attempts }: Pick<CyclePorts, "view" | "world" | "cache" | "attempts">,
  { percentageOfNodesToScore, percentages = {}, extenders = [], decisions }: CycleOptions,
  signal: AbortSignal,
): PodDecider {
  const place = preparedPlacer();
  const binders = extenders.some(({ binds }) => binds) ? [extenderBinder(extenders, world.log)] : [];
  let startIndex = 0;
  const advanced = (placement: Placement): Placement => {
    startIndex = (startIndex + placement.nodesVisited) % Math.max(1, cache.snapshot().nodes.length);
    if (!decisions || placement.outcome !== "placed") return placement;
    // They can be listed only before the pod is counted on its node.
    const scores = placement.scores();
    return { ...placement, scores: () => scores };
  };
  return {
    place(pod, { plugins, name }) {
      const options = { startIndex, percentageOfNodesToScore: percentages[name] ?? percentageOfNodesToScore };
      const expected = cache.withNomination(pod);
      const interested = extenders.filter((extender) => extender.isInterestedIn(expected));
      if (interested.length === 0) return advanced(place(expected, cache.snapshot(), plugins, options));
      const using = { plugins, extenders: interested, log: world.log, signal };
      return placeWithExtenders(expected, cache.snapshot, options, using).then(advanced);
    },
    bindingOf: (pod, { plugins }, { nodeName, state }) => ({
      ...{ pod: podInfoOf(pod), nodeName, state, plugins: [...binders, ...plugins] },
    }),
    record(key, { name }, { placement, inVain, explanation }) {
      const at = { at: world.clock.now(), revision: view.lister.revision };
      attempts.record(placement, at, inVain);
      decisions?.record({ controller: name, kind: "Pod", key, ...at, reasons: [], ...explanation() });
    },
  };
}
