// Wires a node's life to its lease, its pods and the time we last heard of it.
import type { Lease, Pod } from "../../api/generated/types.ts";
import { key, type Instant } from "../../api/meta.ts";
import { itself, type Controller } from "../../machinery/controller.ts";
import type { Clock } from "../../machinery/world.ts";
import type { ControllerViews } from "../views.ts";
import { decide, type Observed, type Timings } from "./decide.ts";

export type Views = Pick<ControllerViews, "nodes" | "leases" | "pods">;

export function nodeLifecycleController(views: Views, clock: Clock, timings: Timings): Controller<Observed> {
  /** By our own clock: when each node's lease last showed a new renewal. A node we just met gets the whole grace. */
  const heard = new Map<string, { readonly renewal: string; readonly at: Instant }>();
  const listen = (name: string, renewal: string): Instant => {
    const before = heard.get(name);
    if (before?.renewal === renewal) return before.at;
    heard.set(name, { renewal, at: clock.now() });
    return clock.now();
  };
  const isNodeLease = (l: Lease): boolean => l.metadata.namespace === "kube-node-lease";
  views.leases.onChange((l) => {
    if (isNodeLease(l)) listen(l.metadata.name, l.spec.renewTime ?? "");
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
        return undefined;
      }
      const name = node.metadata.name;
      const lease = views.leases.lister.get(key("kube-node-lease", name));
      return {
        node,
        lease,
        heardAt: listen(name, lease?.spec.renewTime ?? ""),
        pods: views.pods.lister.byIndex("node", name),
        timings,
      };
    },
    decide,
  };
}
