// Why a pod is not as desired, in the order of its life: scheduled, on a node that works, with its volumes, its
// containers started and ready, and ended when it has to.
import { configMaps } from "../../../api/core/configmaps.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { claimNamesOf } from "../../../api/core/pod/claims.ts";
import { conditionOf, isReady, restarts, statusWord } from "../../../api/core/pod/status.ts";
import { pods } from "../../../api/core/pods.ts";
import { secrets } from "../../../api/core/secrets.ts";
import type { Cause, KubeletExplanation } from "../../../api/explanation/explanation.ts";
import type { SchedulingExplanation } from "../../../api/explanation/scheduling.ts";
import type { CoreV1Event, Node, Pod } from "../../../api/generated/types.ts";
import { type ApiObject, type Instant, instantOf } from "../../../api/meta.ts";
import {
  asDesired,
  command,
  failing,
  type Finding,
  progressing,
  referenceByName,
  referenceTo,
  worst,
} from "../finding.ts";
import { isRead, type Read, type Reader } from "../reader.ts";
import { causeRule } from "../rule.ts";
import { configNotFound, type ConfigReference, missingConfig, requiredConfig } from "./pod-config.ts";
import { containerFindings } from "./pod-containers.ts";
import { endedFinding, terminatingFinding } from "./pod-ending.ts";
import { schedulingFinding } from "./pod-scheduling.ts";
import { isAsDesired } from "./pod-state.ts";
import { volumeFailure } from "./pod-volumes.ts";

export interface PodObservation {
  readonly events: readonly CoreV1Event[];
  /** Of a pod with a node. */
  readonly node?: Read<Node>;
  /** Claims of its volumes that are missing or not as desired. */
  readonly claims: readonly Cause[];
  /** What it needs of ConfigMaps and Secrets and what does not exist. */
  readonly missing: readonly ConfigReference[];
  readonly scheduling?: SchedulingExplanation | undefined;
  readonly kubelet?: KubeletExplanation | undefined;
}

/** A claim that keeps a pod waiting: missing, or not bound. */
async function claimCauses(pod: Pod, reader: Reader): Promise<readonly Cause[]> {
  const { namespace } = pod.metadata;
  const all = claimNamesOf(pod).map(async (name): Promise<readonly Cause[]> => {
    const claim = await reader.get(persistentVolumeClaims, namespace, name);
    if (claim === "missing")
      return [
        {
          reason: "ClaimNotFound",
          message: `the PersistentVolumeClaim "${name}" does not exist`,
          object: referenceByName(persistentVolumeClaims, namespace, name),
          next: "create the claim, or correct the name in spec.volumes",
        },
      ];
    if (!isRead(claim)) return [];
    const { causes } = await reader.find(claim);
    return causes.map((cause) => ({ object: referenceTo(claim), ...cause }));
  });
  return (await Promise.all(all)).flat();
}

async function missingOf(pod: Pod, reader: Reader): Promise<readonly ConfigReference[]> {
  const { namespace } = pod.metadata;
  const read = requiredConfig(pod).map(async (reference) => {
    const found: Read<ApiObject> =
      reference.kind === "ConfigMap"
        ? await reader.get(configMaps, namespace, reference.name)
        : await reader.get(secrets, namespace, reference.name);
    return found === "missing" ? [reference] : [];
  });
  return (await Promise.all(read)).flat();
}

async function observe(pod: Pod, reader: Reader): Promise<PodObservation> {
  if (isAsDesired(pod)) return { events: [], claims: [], missing: [] };
  const { nodeName } = pod.spec;
  const hasStarted = (pod.status?.containerStatuses ?? []).some((s) => s.containerID !== undefined);
  const [events, node, claims, missing, scheduling] = await Promise.all([
    reader.eventsOf(pod),
    nodeName === undefined ? undefined : reader.get(nodes, undefined, nodeName),
    hasStarted ? [] : claimCauses(pod, reader),
    hasStarted ? [] : missingOf(pod, reader),
    nodeName === undefined ? reader.scheduling(pod) : undefined,
  ]);
  const kubelet = nodeName !== undefined && isRead(node ?? "hidden") ? await reader.kubelet(pod) : undefined;
  return { events, ...(node !== undefined && { node }), claims, missing, scheduling, kubelet };
}

/** What the kubelet waits for, in its own words. */
const kubeletWords = (kubelet: KubeletExplanation | undefined): string => {
  const last = kubelet?.decisions.at(-1);
  const words = last && [...last.because, ...last.actions].join("; ");
  return words ? ` (the kubelet: ${words})` : "";
};

const nodeIsReady = (node: Node): boolean => conditionOf(node.status?.conditions, "Ready")?.status === "True";

/** The cause of a pod whose node does not work. */
function nodeCause(pod: Pod, node: Read<Node> | undefined): Cause | undefined {
  const { nodeName = "" } = pod.spec;
  const reference = referenceByName(nodes, undefined, nodeName);
  if (node === "missing")
    return {
      reason: "NodeNotFound",
      message: `the node ${nodeName} of the pod does not exist any more`,
      object: reference,
      next: `the pod is removed soon; at once with ${command(`delete pod ${pod.metadata.name} --force`, pod.metadata.namespace)}`,
    };
  if (!node || !isRead(node) || nodeIsReady(node)) return undefined;
  const { message = "", reason = "" } = conditionOf(node.status?.conditions, "Ready") ?? {};
  return {
    reason: "NodeNotReady",
    message: `the node ${nodeName} is not ready: ${message || reason || "its kubelet has not reported yet"}`,
    object: referenceTo(node),
    next: `orrery why node/${nodeName}`,
  };
}

/** A pod that is bound: its volumes, then its containers. */
function startingFinding(pod: Pod, o: PodObservation): Finding {
  const found = containerFindings(pod, o.events);
  const causes = found.flatMap(({ cause }) => (cause ? [cause] : []));
  if (causes.length > 0) return failing(found.find(({ cause }) => cause)!.message, ...causes);
  const missing = o.missing.map((reference) => configNotFound(pod, reference));
  if (missing.length > 0) return failing("waits for what its volumes or its environment need", ...missing);
  const [claim] = o.claims;
  if (claim) return failing("waits for its volumes", ...o.claims);
  const event = volumeFailure(pod, o.events);
  if (event) return failing("waits for its volumes", missingConfig(pod, event.message) ?? event);
  const gates = (pod.spec.readinessGates ?? []).filter(
    ({ conditionType }) => conditionOf(pod.status?.conditions, conditionType ?? "")?.status !== "True",
  );
  if (found.length === 0 && gates.length > 0)
    return failing("its containers are ready, and a readiness gate is not", {
      reason: "ReadinessGatesNotReady",
      message: `the conditions ${gates.map((g) => g.conditionType).join(", ")} are not True`,
      next: "whatever sets these conditions has to report them in the pod's status",
    });
  const state = worst(found.map((f) => f.state));
  const message = found[0]?.message ?? `is ${statusWord(pod)}`;
  return state === "Failing" ? failing(message) : progressing(`${message}${kubeletWords(o.kubelet)}`);
}

export function decidePodCauses(pod: Pod, o: PodObservation, now: Instant): Finding {
  if (pod.metadata.deletionTimestamp !== undefined)
    return terminatingFinding(pod, nodeCause(pod, o.node), kubeletWords(o.kubelet), now);
  const phase = pod.status?.phase;
  if (phase === "Succeeded") return asDesired("has succeeded");
  if (phase === "Failed") return endedFinding(pod, o.events);
  if (pod.spec.nodeName === undefined) return schedulingFinding(pod, o.scheduling, o.claims, now);
  const lost = nodeCause(pod, o.node);
  if (lost) return failing("is on a node that does not work", lost);
  if (!isReady(pod)) return startingFinding(pod, o);
  const count = restarts(pod);
  const since = conditionOf(pod.status?.conditions, "Ready")?.lastTransitionTime;
  const age = since === undefined ? "" : ` since ${new Date(instantOf(since)).toISOString().slice(0, 19)}Z`;
  return asDesired(`is ready on ${pod.spec.nodeName}${age}${count > 0 ? `, after ${count} restarts` : ""}`);
}

export const podRule = causeRule({ kind: pods, observe, decide: decidePodCauses, isAsDesired });
