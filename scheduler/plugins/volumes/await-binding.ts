// Writes what was decided about the claims of a pod, and waits until the binder has bound them all.
import { persistentVolumeClaims } from "../../../api/core/persistentvolumeclaims.ts";
import { persistentVolumes } from "../../../api/core/persistentvolumes.ts";
import { nodes } from "../../../api/core/nodes.ts";
import { pods } from "../../../api/core/pods.ts";
import { isFullyBound, isReachableFrom } from "../../../api/core/volume-matching.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from "../../../api/generated/types.ts";
import { key, keyOf, revisionOf, type ApiObject } from "../../../api/meta.ts";
import { abortedWith } from "../../../machinery/abort.ts";
import { type BindingContext, failed, type ObjectReference, type Rejection } from "../../framework.ts";
import { nodeOf, type NodePlan } from "./node-plan.ts";

/** The objects to wait for; a rejection when the pod has to be placed again; undefined when all is bound. */
type Progress = readonly ObjectReference[] | Rejection | undefined;

const failure = (message: string): Rejection => failed(`binding volumes: ${message}`);
/** The view does not show the write yet, which may be that of another pod with the same claim. */
const isStale = (seen: ApiObject, written: ApiObject): boolean => revisionOf(seen) <= revisionOf(written);
const reference = (claim: PersistentVolumeClaim): ObjectReference => [persistentVolumeClaims, keyOf(claim)];
const volumeKey = (name: string): ObjectReference => [persistentVolumes, key(undefined, name)];

function unreachable(volume: PersistentVolume, { metadata: { name, labels = {} } }: Node): Rejection | undefined {
  if (isReachableFrom(volume, labels)) return undefined;
  return failure(
    `pv "${volume.metadata.name}" node affinity doesn't match node "${name}": no matching NodeSelectorTerms`,
  );
}

/** Progress of a claim that gets a volume which exists. */
function matchedProgress(written: NodePlan["matched"][number], node: Node, { lister }: BindingContext): Progress {
  const { name } = written.volume.metadata;
  const volume = lister(persistentVolumes).get(key(undefined, name));
  const claim = lister(persistentVolumeClaims).get(keyOf(written.claim));
  if (!volume) return failure(`failed to check binding: could not find v1.PersistentVolume "${name}"`);
  if (!claim)
    return failure(`failed to check binding: could not find v1.PersistentVolumeClaim "${keyOf(written.claim)}"`);
  const problem = unreachable(volume, node);
  if (problem) return problem;
  if (!volume.spec.claimRef?.uid)
    return isStale(volume, written.volume) ? [volumeKey(name)] : failure(`ClaimRef got reset for pv "${name}"`);
  return isFullyBound(claim) ? undefined : [reference(claim), volumeKey(name)];
}

/** Progress of a claim that a provisioner makes a volume for. It takes the node off the claim when it fails. */
function provisionedProgress(written: PersistentVolumeClaim, node: Node, { lister }: BindingContext): Progress {
  const claim = lister(persistentVolumeClaims).get(keyOf(written));
  if (!claim)
    return failure(`failed to check provisioning pvc: could not find v1.PersistentVolumeClaim "${keyOf(written)}"`);
  if (nodeOf(claim) !== node.metadata.name) {
    if (isStale(claim, written)) return [reference(claim)];
    const { annotations, name } = claim.metadata;
    return failure(
      annotations ? `provisioning failed for PVC "${name}"` : `selectedNode annotation reset for PVC "${name}"`,
    );
  }
  if (!claim.spec.volumeName) return [reference(claim)];
  const volume = lister(persistentVolumes).get(key(undefined, claim.spec.volumeName));
  if (!volume) return [reference(claim), volumeKey(claim.spec.volumeName)];
  return unreachable(volume, node) ?? (isFullyBound(claim) ? undefined : [reference(claim)]);
}

function progress({ metadata }: Pod, nodeName: string, bindings: NodePlan, context: BindingContext): Progress {
  const { lister } = context;
  const node = lister(nodes).get(key(undefined, nodeName));
  if (!node) return failure(`failed to get node "${nodeName}": node "${nodeName}" not found`);
  if (lister(pods).get(keyOf({ metadata }))?.metadata.uid !== metadata.uid)
    return failure(`pod does not exist any more: pod "${metadata.name}" not found`);
  const each = [
    ...bindings.matched.map((binding) => matchedProgress(binding, node, context)),
    ...bindings.provisioned.map((claim) => provisionedProgress(claim, node, context)),
  ];
  const waits: ObjectReference[] = [];
  for (const one of each) {
    if (one === undefined) continue;
    if ("code" in one) return one;
    waits.push(...one);
  }
  return waits.length === 0 ? undefined : [...waits, [pods, keyOf({ metadata })], [nodes, key(undefined, nodeName)]];
}

async function settled(
  pod: Pod,
  nodeName: string,
  bindings: NodePlan,
  context: BindingContext,
): Promise<Rejection | undefined> {
  const { signal } = context;
  for (;;) {
    const current = progress(pod, nodeName, bindings, context);
    if (current === undefined || "code" in current) return current;
    await context.changed(current, signal);
    signal.throwIfAborted();
  }
}

/** Resolves when all claims are bound, or with the reason why the pod has to be placed again. */
export async function awaitBinding(
  pod: Pod,
  nodeName: string,
  bindings: NodePlan,
  context: BindingContext,
  timeoutMs: number,
): Promise<Rejection | undefined> {
  const { signal, end } = abortedWith(context.signal);
  const expired = context.clock.sleep(timeoutMs, signal).then(() => failure("context deadline exceeded"));
  try {
    return await Promise.race([settled(pod, nodeName, bindings, { ...context, signal }), expired]);
  } finally {
    end();
  }
}
