// Mounts the volumes of a pod: those that claims and drivers provide beside those that the kubelet makes.
import type { Pod, Volume } from "../../api/generated/types.ts";
import { type Instant, instant } from "../../api/meta.ts";
import { usesDevices } from "../devices/device-claims.ts";
import { usedVolumesOf } from "../podspec/containers.ts";
import { Unmet } from "../podspec/references.ts";
import type { Prober } from "../probes/prober.ts";
import { claimed, hasClaims, isProvided } from "../volumes/claims.ts";
import { csiVolumeOf } from "../volumes/csi/volume.ts";
import { heldFor, needsRepublishing } from "../volumes/held.ts";
import { freshTokens, nextRenewal } from "../volumes/tokens.ts";
import { VolumeFailure, VolumePending } from "../volumes/volume-failure.ts";
import { allEnded, attachmentOf, hasLiveContent, prepareVolumes, type VolumeSources } from "../volumes/volumes.ts";
import { type ContainerInputs, factsFor } from "./make-container.ts";

/** The pod whose actions are executed; `inputs` is absent for a pod that exists only in the engine. */
export interface PodContext {
  readonly inputs: ContainerInputs | undefined;
  readonly node: ContainerInputs["node"];
  readonly memory: ContainerInputs["memory"];
  readonly uid: string;
  readonly health: Prober;
  /** Requests another observation before an action has ended. */
  readonly notify: () => void;
}

/** An attachment is waited for without an event until these retries have taken two minutes. */
const pendingRetries = 8;
const republishMs = 60_000;

const namespaceOf = ({ metadata }: Pod): string => metadata.namespace ?? "default";

/** Follows the claims of the pod to their volumes, and from these to their attachments. */
async function followClaims({ node, uid }: PodContext, pod: Pod, signal: AbortSignal): Promise<void> {
  const lookup = node.objects.lookup(namespaceOf(pod));
  let held = 0;
  for (let references = heldFor(pod, lookup, node); references.length !== held; ) {
    held = references.length;
    node.objects.hold(uid, namespaceOf(pod), references);
    await node.objects.ready(uid, signal);
    references = heldFor(pod, lookup, node);
  }
}

/** When the volumes have to be mounted again without a change: for tokens, or because their driver wants it. */
function nextMount({ node, memory }: PodContext, pod: Pod): Instant | undefined {
  const renewal = nextRenewal(memory.tokens);
  if (!needsRepublishing(pod, node.objects.lookup(namespaceOf(pod)), node)) return renewal;
  return instant(Math.min(renewal ?? Number.POSITIVE_INFINITY, node.world.clock.now() + republishMs));
}

/** Drivers prepare the devices of the pod's claims. */
async function prepareDevices({ devices }: PodContext["node"], pod: Pod): Promise<void> {
  if (!usesDevices(pod)) return;
  await devices.prepare(pod).catch((e: Error) => {
    const message = `Failed to prepare dynamic resources: prepare dynamic resources: ${e.message}`;
    throw new VolumeFailure(message, "FailedPrepareDynamicResources");
  });
}

/** Whether the volumes wait for nothing but their drivers. */
function areFound(volumes: readonly Volume[], sources: Pick<VolumeSources, "pod" | "lookup" | "nodeName" | "csi">) {
  const { pod, lookup } = sources;
  try {
    for (const v of volumes) {
      const volume = csiVolumeOf(pod, v, claimed(pod, v, lookup));
      if (volume) attachmentOf(v, volume, sources);
    }
    return true;
  } catch (e) {
    if (e instanceof Unmet || e instanceof VolumeFailure) return false;
    throw e;
  }
}

/** Lets the sandbox run while drivers mount, unless they failed before: a pod that waits for them has no address. */
function beginMounting({ memory, notify }: PodContext): void {
  if (memory.volumes.is !== "unknown" || memory.volumeFailures > 0) return;
  memory.volumes = { is: "mounting" };
  notify();
}

/** A driver mounts its volumes while the API server issues tokens. */
async function mountAll(at: PodContext, inputs: ContainerInputs, signal: AbortSignal): Promise<void> {
  const { node, memory, uid } = at;
  const { pod } = inputs;
  const lookup = node.objects.lookup(namespaceOf(pod));
  const volumes = usedVolumesOf(pod);
  const sources = {
    ...node,
    ...{ pod, lookup, facts: factsFor(inputs), stamp: String(node.world.clock.now()) },
  };
  node.objects.hold(uid, namespaceOf(pod), heldFor(pod, lookup, node));
  const ready = hasLiveContent(pod) ? node.objects.ready(uid, signal) : Promise.resolve();
  const own = async (): Promise<void> => {
    memory.tokens = await freshTokens(node, pod, memory.tokens);
    await ready;
    const { tokens } = memory;
    await prepareVolumes(
      volumes.filter((v) => !isProvided(v)),
      { ...sources, tokens },
    );
  };
  const provided = async (): Promise<void> => {
    const { tokens } = memory;
    await ready;
    if (hasClaims(pod)) await followClaims(at, pod, signal);
    const ofDrivers = volumes.filter(isProvided);
    const others = ofDrivers.length > 0 && areFound(ofDrivers, sources) ? ownReady : undefined;
    const begun = others?.then(
      () => beginMounting(at),
      () => {},
    );
    await prepareVolumes(ofDrivers, { ...sources, tokens });
    await begun;
  };
  const ownReady = own();
  await allEnded([ownReady, provided(), prepareDevices(node, pod)]);
}

/** Mounts what the pod's volumes show now. The memory holds the outcome. */
export async function mountVolumes(at: PodContext, signal: AbortSignal): Promise<void> {
  const { inputs, node, memory } = at;
  if (inputs === undefined) return;
  const { pod } = inputs;
  const version = memory.contentVersion;
  try {
    await mountAll(at, inputs, signal);
    memory.volumeFailures = 0;
    // A change that arrived during the write requires another one.
    const isCurrent = version === memory.contentVersion;
    memory.volumes = isCurrent ? { is: "ready", until: nextMount(at, pod) } : { is: "unknown" };
  } catch (e) {
    if (!(e instanceof VolumeFailure || e instanceof Unmet)) throw e;
    memory.volumeFailures += 1;
    memory.volumes = { is: "failed", at: node.world.clock.now(), failures: memory.volumeFailures };
    if (!(e instanceof VolumePending) || memory.volumeFailures >= pendingRetries)
      node.events.record(pod, "Warning", e instanceof VolumeFailure ? e.reason : "FailedMount", e.message);
  }
}
