// Wires a node's life to its lease, its pods and the time we last heard of it.
import type { Lease, Node, Pod, Taint } from "../../api/generated/types.ts";
import { key, type Instant } from "../../api/meta.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { itself, type Controller } from "../../machinery/controller.ts";
import type { Clock } from "../../machinery/world.ts";
import type { ControllerViews } from "../views.ts";
import { decide, type Observed, type Timings } from "./decide.ts";

export type Views = Pick<ControllerViews, "nodes" | "leases" | "pods">;

const wordsOf = ({ key: name, value = "", effect }: Taint): string => `${name}=${value}:${effect}`;

export function nodeLifecycleController(views: Views, clock: Clock, timings: Timings): Controller<Observed> {
  /** By our own clock: when each node last gave a sign of life. A node we just met gets the whole grace. */
  const heard = new Map<string, { readonly sign: string; readonly at: Instant }>();
  const leaseOf = (name: string): Lease | undefined => views.leases.lister.get(key("kube-node-lease", name));
  /** It renews its lease, or it says how it is: whoever comes back does that first. */
  const listen = (name: string): Instant => {
    const ready = conditionOf(views.nodes.lister.get(key(undefined, name))?.status?.conditions, "Ready");
    const sign = `${leaseOf(name)?.spec.renewTime} ${ready?.lastHeartbeatTime}`;
    const before = heard.get(name);
    if (before?.sign === sign) return before.at;
    heard.set(name, { sign, at: clock.now() });
    return clock.now();
  };
  /** Taints that users put up do not say when. Of those of a node, since when we have seen each. */
  const seen = new Map<string, ReadonlyMap<string, Instant>>();
  const look = ({ metadata: { name }, spec }: Node): ((taint: Taint) => Instant) => {
    const [before, now] = [seen.get(name), clock.now()];
    const all = (spec.taints ?? []).map(wordsOf).map((words) => [words, before?.get(words) ?? now] as const);
    const standing = new Map(all);
    if (standing.size > 0) seen.set(name, standing);
    else seen.delete(name);
    return (taint) => standing.get(wordsOf(taint)) ?? now;
  };
  views.leases.onChange((l) => {
    if (l.metadata.namespace === "kube-node-lease") listen(l.metadata.name);
  });
  /** Where no taint stands nothing can come of a pod's change, and most pods change where none does. */
  const isTroubled = (nodeName: string): boolean => {
    const node = views.nodes.lister.get(key(undefined, nodeName));
    return Boolean(node?.spec.taints?.length);
  };
  return {
    name: "node",
    watches: [
      { informer: views.nodes, keys: itself },
      {
        informer: views.pods,
        keys: ({ spec }: Pod) => (spec.nodeName && isTroubled(spec.nodeName) ? [key(undefined, spec.nodeName)] : []),
      },
    ],
    observe: (k) => {
      const node = views.nodes.lister.get(k);
      if (node === undefined) {
        heard.delete(k);
        seen.delete(k);
        return undefined;
      }
      const name = node.metadata.name;
      return {
        node,
        lease: leaseOf(name),
        heardAt: listen(name),
        firstSeen: look(node),
        pods: views.pods.lister.byIndex("node", name),
        timings,
      };
    },
    decide,
  };
}
