// What the node itself says: its name, whether it is cordoned, its taints, its free ports, the images it already has.
import type { Container, Node, Pod, Taint } from "../../api/generated/types.ts";
import { tolerates } from "../../api/core/pod/tolerations.ts";
import { fits, refused, type NodeView, type SchedulerPlugin } from "../framework.ts";

const untolerated = (pod: Pod, node: Node, effects: readonly string[]): readonly Taint[] =>
  (node.spec.taints ?? []).filter(
    (taint) => effects.includes(taint.effect) && !(pod.spec.tolerations ?? []).some((t) => tolerates(t, taint)),
  );

export const nodeName: SchedulerPlugin = {
  name: "NodeName",
  wakesOn: ["node-added"],
  prepare: ({ spec }) =>
    spec.nodeName
      ? {
          filter: (on) =>
            on.node.metadata.name === spec.nodeName ? fits : refused("node(s) didn't match the requested node name"),
        }
      : undefined,
};

const cordon: Taint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };

export const nodeUnschedulable: SchedulerPlugin = {
  name: "NodeUnschedulable",
  wakesOn: ["node-added", "node-changed"],
  prepare: (pod) =>
    (pod.spec.tolerations ?? []).some((t) => tolerates(t, cordon))
      ? undefined
      : { filter: (on) => (on.node.spec.unschedulable === true ? refused("node(s) were unschedulable") : fits) },
};

export const taintToleration: SchedulerPlugin = {
  name: "TaintToleration",
  weight: 3,
  wakesOn: ["node-added", "node-changed"],
  prepare: (pod, all) => {
    if (!all.some((on) => on.node.spec.taints?.length)) return undefined;
    const disliked = (on: NodeView): number => untolerated(pod, on.node, ["PreferNoSchedule"]).length;
    const worst = Math.max(1, ...all.map(disliked));
    return {
      filter: (on) =>
        untolerated(pod, on.node, ["NoSchedule", "NoExecute"]).length === 0
          ? fits
          : refused("node(s) had untolerated taint(s)"),
      score: (on) => 100 * (1 - disliked(on) / worst),
    };
  },
};

const everywhere = "0.0.0.0";
interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}
const hostPorts = (pod: Pod): readonly HostPort[] =>
  pod.spec.containers.flatMap((c: Container) =>
    (c.ports ?? []).flatMap((p) =>
      p.hostPort ? [{ ip: p.hostIP || everywhere, protocol: p.protocol ?? "TCP", port: p.hostPort }] : [],
    ),
  );
const collide = (a: HostPort, b: HostPort): boolean =>
  a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === everywhere || b.ip === everywhere);

export const nodePorts: SchedulerPlugin = {
  name: "NodePorts",
  wakesOn: ["pod-gone", "node-added"],
  prepare: (pod) => {
    const wanted = hostPorts(pod);
    if (wanted.length === 0) return undefined;
    const taken = (on: NodeView): boolean =>
      on.pods.some((other) => hostPorts(other).some((b) => wanted.some((a) => collide(a, b))));
    return {
      filter: (on) => (taken(on) ? refused("node(s) didn't have free ports for the requested pod ports", true) : fits),
    };
  },
};

const mebi = 1024 * 1024;
/** Below this, pulling is too cheap to matter; above `maxBytes` a container, more does not count. */
const [minBytes, maxBytes] = [23 * mebi, 1000 * mebi];

export const imageLocality: SchedulerPlugin = {
  name: "ImageLocality",
  wakesOn: [],
  prepare: (pod, all) => {
    const wanted = [...new Set(pod.spec.containers.map((c) => c.image ?? ""))];
    const sizeOn = (on: NodeView, image: string): number =>
      on.node.status?.images?.find((i) => i.names?.includes(image))?.sizeBytes ?? 0;
    const spread = new Map(
      wanted.map((image) => [image, all.filter((on) => sizeOn(on, image) > 0).length / Math.max(1, all.length)]),
    );
    const ceiling = maxBytes * wanted.length;
    return {
      score: (on) => {
        const held = wanted.reduce((sum, image) => sum + sizeOn(on, image) * spread.get(image)!, 0);
        return (100 * (Math.min(Math.max(held, minBytes), ceiling) - minBytes)) / (ceiling - minBytes);
      },
    };
  },
};
