// Node lifecycle: observes a node's lease, its pods, and the time of its last heartbeat.
import { leases } from "../../api/coordination/leases.ts";
import { nodes } from "../../api/core/nodes.ts";
import { conditionOf } from "../../api/core/pod/status.ts";
import { pods } from "../../api/core/pods.ts";
import type { Node, Taint } from "../../api/generated/types.ts";
import { type Instant, key, keyOf } from "../../api/meta.ts";
import { type Controller, controller, type Views, watch } from "../../machinery/controller.ts";
import { decide, isEvicting, type Observed } from "./decide.ts";
import { evictionZones, type EvictionZones } from "./zones.ts";

const leaseNamespace = "kube-node-lease";
const taintText = ({ key: name, value = "", effect }: Taint): string => `${name}=${value}:${effect}`;

/** The last heartbeat of each node, by the controller's clock. A new node gets the complete grace period. */
function heartbeats() {
  const known = new Map<string, { readonly sign: string; readonly at: Instant }>();
  return {
    /** A renewed lease and a reported status are heartbeats: a returning node reports its status first. */
    lastOf(views: Views, name: string, now: Instant): Instant {
      const ready = conditionOf(views.of(nodes).get(key(undefined, name))?.status?.conditions, "Ready");
      const lease = views.of(leases).get(key(leaseNamespace, name));
      const sign = `${lease?.spec.renewTime} ${ready?.lastHeartbeatTime}`;
      const before = known.get(name);
      if (before?.sign === sign) return before.at;
      known.set(name, { sign, at: now });
      return now;
    },
    forget: (name: string): void => void known.delete(name),
  };
}

/** The time each taint of each node was first observed: taints set by users can lack it. */
function taintTimes() {
  const known = new Map<string, ReadonlyMap<string, Instant>>();
  return {
    of({ metadata: { name }, spec }: Node, now: Instant): (taint: Taint) => Instant {
      const before = known.get(name);
      const texts = (spec.taints ?? []).map(taintText);
      const since = new Map(texts.map((text) => [text, before?.get(text) ?? now] as const));
      if (since.size > 0) known.set(name, since);
      else known.delete(name);
      return (taint) => since.get(taintText(taint)) ?? now;
    },
    forget: (name: string): void => void known.delete(name),
  };
}

const readinessOf = ({ status }: Node): string | undefined => conditionOf(status?.conditions, "Ready")?.status;

/** The turn of a node in its zone, if it needs one: a node that is lost and whose pods are not evicted yet. */
function turnIn(zones: EvictionZones, node: Node, now: Instant): Instant | undefined {
  const readiness = readinessOf(node);
  const needsTurn = readiness !== undefined && readiness !== "True" && !node.spec.taints?.some(isEvicting);
  if (needsTurn) return zones.turnOf(node, now);
  zones.release(node.metadata.name);
  return undefined;
}

/** A node whose lease is not renewed for `graceMs` is unreachable. */
export function nodeLifecycleController(graceMs: number): Controller<Observed> {
  const lastHeartbeats = heartbeats();
  const seen = taintTimes();
  const zones = evictionZones();
  const hasTaints = (views: Views, name: string): boolean =>
    Boolean(views.of(nodes).get(key(undefined, name))?.spec.taints?.length);
  return controller({
    name: "node",
    reconciles: nodes,
    keysOf(node, { type, views, now }) {
      const { name } = node.metadata;
      const isRateChanged = type === "deleted" ? zones.remove(name, now) : zones.update(node, now);
      const waiting = isRateChanged
        ? views
            .of(nodes)
            .all()
            .filter((other) => readinessOf(other) !== "True")
        : [];
      return [key(undefined, name), ...waiting.map(keyOf)];
    },
    watches: [
      watch(leases, ({ metadata: { namespace, name } }, { views, now }) => {
        if (namespace === leaseNamespace) lastHeartbeats.lastOf(views, name, now);
        return [];
      }),
      // A change of a pod matters only where its node has taints, which is the exception.
      watch(
        pods,
        ({ spec: { nodeName } }, { views }) =>
          nodeName && hasTaints(views, nodeName) ? [key(undefined, nodeName)] : [],
        { node: (pod) => [pod.spec.nodeName ?? ""] },
      ),
    ],
    writes: [
      { kind: nodes, verbs: ["patch"] },
      { kind: nodes, subresource: "status", verbs: ["update"] },
      { kind: pods, verbs: ["delete"] },
      { kind: pods, subresource: "status", verbs: ["update"] },
    ],
    observe(views, k, now) {
      const node = views.of(nodes).get(k);
      if (node === undefined) {
        lastHeartbeats.forget(k);
        seen.forget(k);
        return undefined;
      }
      const { name } = node.metadata;
      return {
        ...{ node, graceMs, pods: views.of(pods).byIndex("node", name) },
        lastHeartbeat: lastHeartbeats.lastOf(views, name, now),
        firstSeen: seen.of(node, now),
        turn: turnIn(zones, node, now),
        allLost: zones.allLost,
      };
    },
    decide,
  });
}
