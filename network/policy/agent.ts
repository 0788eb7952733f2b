// Enforces policies on one node: follows the objects they are about, and isolates a pod before its containers start.
import { pods } from "../../api/core/pods.ts";
import type { Container, Namespace, NetworkPolicy, Pod } from "../../api/generated/types.ts";
import { keyOf, revision } from "../../api/meta.ts";
import type { Client } from "../../machinery/client.ts";
import { type Informer, informer } from "../../machinery/informer.ts";
import type { Log, World } from "../../machinery/world.ts";
import type { Run } from "../command.ts";
import { families } from "./addresses.ts";
import { policyDataplane } from "./dataplane.ts";
import { enforcement, type PolicyInputs } from "./enforcement.ts";

/** The views that policies are read from. */
export interface PolicyViews {
  readonly policies: Informer<NetworkPolicy>;
  readonly namespaces: Informer<Namespace>;
  /** The pods of this node. */
  readonly pods: Informer<Pod>;
  /** The pods of all nodes, see {@link peerView}; run by the agent, from the first policy on. */
  readonly peers: Informer<Pod>;
}
interface Ports {
  readonly run: Run;
  readonly log: Log;
  /** Called when there may be something to enforce. */
  readonly changed: () => void;
}
export interface PolicyAgent {
  /** Resolves when the kernel enforces what the views show. They must have caught up before the first call. */
  enforce(): Promise<void>;
  /** Resolves when the policies that select the pod isolate its address, which the API need not show yet. */
  admit(pod: Pod, address: string): Promise<void>;
}

/** What is kept of the pods of all nodes. */
function asPeer({ apiVersion, kind, metadata, spec, status = {} }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, creationTimestamp, labels } = metadata;
  const { hostNetwork, containers, initContainers } = spec;
  const { phase, podIP, podIPs } = status;
  const portsOf = (list: readonly Container[] = []) =>
    list.map((c) => ({ name: c.name, ports: c.ports, restartPolicy: c.restartPolicy }));
  return {
    ...{ apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, creationTimestamp, labels } },
    ...{ spec: { hostNetwork, containers: portsOf(containers), initContainers: portsOf(initContainers) } },
    status: { phase, podIP, podIPs },
  } as Pod;
}

const withAddress = (pod: Pod, ip: string): Pod => ({ ...pod, status: { ...pod.status, podIP: ip, podIPs: [{ ip }] } });

/** A view of the pods of all nodes. */
export const peerView = (client: Client, world: World): Informer<Pod> =>
  informer(client, pods, world, { keep: asPeer });

export function policyAgent(views: PolicyViews, { run, log, changed }: Ports, signal: AbortSignal): PolicyAgent {
  const enforcements = families.map(enforcement);
  const tables = enforcements.map(({ table }) => table);
  const dataplane = policyDataplane(tables, run, log);
  const input = (set: (inputs: PolicyInputs) => void): void => {
    enforcements.forEach(set);
    changed();
  };
  views.policies.onChange((policy, _, type) =>
    input((i) => i.policy(keyOf(policy), policy.metadata.namespace ?? "", type === "deleted" ? undefined : policy)),
  );
  views.namespaces.onChange((namespace, _, type) =>
    input((i) => i.namespace(namespace.metadata.name, type === "deleted" ? undefined : namespace)),
  );

  /** Addresses from the kubelet that the API does not show yet, by UIDs of pods. */
  const assigned = new Map<string, string>();
  views.pods.onChange((pod, _, type) => {
    const { uid } = pod.metadata;
    const address = assigned.get(uid);
    if (type === "deleted" || pod.status?.podIP === address) assigned.delete(uid);
    const shown = assigned.has(uid) ? withAddress(pod, address!) : pod;
    input((i) => i.subject(keyOf(pod), type === "deleted" ? undefined : shown));
  });

  views.peers.onChange((pod, _, type) => input((i) => i.peer(keyOf(pod), type === "deleted" ? undefined : pod)));
  let isFollowing = false;
  const followPeers = (): Promise<void> => {
    if (!isFollowing) void views.peers.run(signal);
    isFollowing = true;
    return views.peers.caughtUp(revision(0), signal);
  };
  const enforced = Promise.withResolvers<void>();
  const enforce = async (): Promise<void> => {
    if (views.policies.lister.all().length > 0) await followPeers();
    await dataplane.apply();
    enforced.resolve();
  };
  return {
    enforce,
    async admit(pod, address) {
      await enforced.promise;
      assigned.set(pod.metadata.uid, address);
      input((i) => i.subject(keyOf(pod), withAddress(pod, address)));
      await enforce();
    },
  };
}
