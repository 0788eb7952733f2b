// Registers the node, renews its lease (KEP-589) and reports changes of its status.
import type { Lease, Node, NodeStatus } from "../../api/generated/types.ts";
import { hasReason, ifFound } from "../../api/errors.ts";
import { leases } from "../../api/coordination/leases.ts";
import { nodes } from "../../api/core/nodes.ts";
import { type Instant, key, microTimestamp } from "../../api/meta.ts";
import { orAborted } from "../../machinery/abort.ts";
import type { Client } from "../../machinery/client.ts";
import type { EventRecorder } from "../../machinery/events.ts";
import type { World } from "../../machinery/world.ts";
import {
  type NodeHealth,
  type NodeIdentity,
  nodeDraft,
  nodeLabels,
  nodeStatus,
  equalExceptHeartbeat,
} from "./node-status.ts";

/** Intervals of the heartbeats. The status is written when it changes, and at the latest after `statusReportMs`. */
export interface HeartbeatTimes {
  readonly leaseRenewMs: number;
  readonly leaseDurationSeconds: number;
  readonly statusCheckMs: number;
  readonly statusReportMs: number;
}
/** Kubernetes' defaults. */
export const defaultTimes: HeartbeatTimes = {
  leaseRenewMs: 10_000,
  leaseDurationSeconds: 40,
  statusCheckMs: 10_000,
  statusReportMs: 300_000,
};

interface HeartbeatPorts {
  readonly world: World;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly identity: NodeIdentity;
  readonly times: HeartbeatTimes;
  readonly health: (signal: AbortSignal) => Promise<NodeHealth>;
}

const leaseNamespace = "kube-node-lease";

/** Creates the node, or corrects the labels that the kubelet owns and keeps the others. */
async function register(ports: HeartbeatPorts, health: NodeHealth): Promise<Node> {
  const { client, identity, world } = ports;
  const there = await ifFound(client.get(nodes, key(undefined, identity.nodeName)));
  if (there === undefined) {
    const status = nodeStatus(identity, health, undefined, world.clock.now());
    const made = await client.create(nodes, nodeDraft(identity, status));
    ports.events.record(made, "Normal", "Starting", "Starting kubelet.");
    return made;
  }
  const labels = { ...there.metadata.labels, ...nodeLabels(identity) };
  if (JSON.stringify(labels) === JSON.stringify(there.metadata.labels)) return there;
  return client.update(nodes, { ...there, metadata: { ...there.metadata, labels } });
}

const readiness = (s: NodeStatus | undefined): string | undefined =>
  s?.conditions?.find((c) => c.type === "Ready")?.status;

/** Resolves with the time of the last write, and whether the node is ready. */
async function reportStatus(ports: HeartbeatPorts, lastWritten: Instant | undefined, signal: AbortSignal) {
  const { client, identity, world, times } = ports;
  const health = await ports.health(signal);
  const node = await register(ports, health);
  const now = world.clock.now();
  const status = nodeStatus(identity, health, node.status, now);
  const due = lastWritten === undefined || now - lastWritten >= times.statusReportMs;
  const ready = readiness(status) === "True";
  if (!due && equalExceptHeartbeat(node.status, status)) return { written: lastWritten, ready };
  const written = await client.update(nodes, { ...node, status }, "status");
  const after = readiness(written.status);
  if (readiness(node.status) !== after || lastWritten === undefined) {
    const word = after === "True" ? "NodeReady" : "NodeNotReady";
    ports.events.record(written, "Normal", word, `Node ${identity.nodeName} status is now: ${word}`);
  }
  return { written: now, ready };
}

const leaseSpec = ({ identity, world, times: { leaseDurationSeconds } }: HeartbeatPorts): Lease["spec"] => ({
  ...{ holderIdentity: identity.nodeName, leaseDurationSeconds, renewTime: microTimestamp(world.clock.now()) },
});

async function openLease(ports: HeartbeatPorts): Promise<Lease> {
  const { client, identity } = ports;
  const there = await ifFound(client.get(leases, key(leaseNamespace, identity.nodeName)));
  if (there) return client.update(leases, { ...there, spec: { ...there.spec, ...leaseSpec(ports) } });
  const { uid } = (await client.get(nodes, key(undefined, identity.nodeName))).metadata;
  const ownerReferences = [{ apiVersion: "v1", kind: "Node", name: identity.nodeName, uid }];
  const metadata = { name: identity.nodeName, namespace: leaseNamespace, ownerReferences };
  return client.create(leases, { kind: "Lease", metadata, spec: leaseSpec(ports) });
}

/** Renews the lease with one request, from the last written version; reads it again only after a conflict. */
function leaseHolder(ports: HeartbeatPorts): () => Promise<undefined> {
  let held: Lease | undefined;
  return async () => {
    const mine = held;
    held = undefined;
    held = mine
      ? await ports.client.update(leases, { ...mine, spec: { ...mine.spec, ...leaseSpec(ports) } })
      : await openLease(ports);
  };
}

/** Repeats the work every `ms`, or after the delay that it resolves with. */
async function every(
  world: World,
  ms: number,
  what: string,
  work: () => Promise<number | undefined>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const next = await work().then(
      (wish) => wish ?? ms,
      (e: Error) => {
        // Another writer was faster: retried at once with the current version.
        if (hasReason(e, "Conflict")) return 0;
        if (!signal.aborted) world.log("heartbeat failed", { what, error: e.message });
        // A failed heartbeat is retried soon.
        return Math.min(ms, 500);
      },
    );
    await world.clock.sleep(next, signal).catch(() => {});
  }
}

/** Runs both heartbeats until the signal aborts. The lease's owner is the node, so the node is registered first. */
export async function heartbeat(ports: HeartbeatPorts, signal: AbortSignal): Promise<void> {
  const { world, times } = ports;
  let written: Instant | undefined;
  const registered = Promise.withResolvers<void>();
  const beat = async (): Promise<number | undefined> => {
    const report = await reportStatus(ports, written, signal);
    written = report.written;
    registered.resolve();
    // Pods wait for a node that is not ready, so it is checked again soon.
    return report.ready ? undefined : Math.min(times.statusCheckMs, 250);
  };
  const renew = leaseHolder(ports);
  const renewals = async (): Promise<void> => {
    await orAborted(registered.promise, signal).catch(() => {});
    await every(world, times.leaseRenewMs, "lease", renew, signal);
  };
  await Promise.all([every(world, times.statusCheckMs, "node status", beat, signal), renewals()]);
}
