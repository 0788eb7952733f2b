// Why controllers of pods do not have the pods they should have: what all of them have in common.
import { pods } from "../../../api/core/pods.ts";
import type { Cause } from "../../../api/explanation/explanation.ts";
import type { CoreV1Event, Pod } from "../../../api/generated/types.ts";
import type { ResourceDefinition } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { type Finding, failing, type Found, grouped, progressing, waiting, worst } from "../finding.ts";
import type { Reader } from "../reader.ts";
import { lastRefusal } from "./refused-creation.ts";

export interface PodsObservation {
  readonly events: readonly CoreV1Event[];
  /** Pods that are not as desired, those that the user may read. */
  readonly pods: readonly Found<Pod>[];
}

const oldestFirst = (a: Pod, b: Pod): number =>
  a.metadata.creationTimestamp < b.metadata.creationTimestamp || a.metadata.name < b.metadata.name ? -1 : 1;

/** The pods of a controller that are not as desired, and why, and the events about it. */
export async function observePods(owner: ApiObject, reader: Reader): Promise<PodsObservation> {
  const [{ items }, events] = await Promise.all([
    reader.related(pods, "undesired", owner.metadata.uid),
    reader.eventsOf(owner),
  ]);
  const found = items.toSorted(oldestFirst).map(async (object) => ({ object, finding: await reader.find(object) }));
  return { events, pods: await Promise.all(found) };
}

/** The children of a kind, with why they are as they are. */
export async function observeFound<T extends ApiObject>(
  r: ResourceDefinition<T>,
  owner: ApiObject,
  reader: Reader,
): Promise<readonly Found<T>[]> {
  const { items } = await reader.related(r, "controller", owner.metadata.uid);
  return Promise.all(items.map(async (object) => ({ object, finding: await reader.find(object) })));
}

/** The causes of a controller whose creations are refused, or whose pods are not ready. */
export function podCauses(owner: ApiObject, observed: PodsObservation, refused: Cause | undefined): readonly Cause[] {
  const refusal = refused ?? lastRefusal(observed.events, owner.metadata.namespace);
  return [...(refusal ? [refusal] : []), ...grouped(observed.pods)];
}

/** A finding of what is on its way: progressing, or failing or waiting for these causes. */
export function findingWith(message: string, causes: readonly Cause[], found: readonly Found[]): Finding {
  const state = causes.length === 0 ? "Progressing" : worst(found.map(({ finding }) => finding.state));
  if (causes.length === 0) return progressing(message);
  return state === "Waiting" ? waiting(message, ...causes) : failing(message, ...causes);
}

/** A controller that was deleted, and which its own children or a finalizer keep. */
export function deletionFinding({ metadata }: ApiObject): Finding | undefined {
  const { deletionTimestamp, finalizers = [] } = metadata;
  if (deletionTimestamp === undefined) return undefined;
  if (finalizers.length === 0) return progressing("is being deleted");
  const isForeground = finalizers.includes("foregroundDeletion");
  return waiting("was deleted and is kept by finalizers", {
    reason: "FinalizersPending",
    message: isForeground
      ? "it waits until all that it owns is gone"
      : `the finalizers ${finalizers.join(", ")} have not been removed`,
    next: isForeground
      ? "see what it owns and what keeps that"
      : "their controllers remove them; by hand, if these do not exist any more, from metadata.finalizers",
  });
}

/** The controllers have not seen the last change: they do not run, or are behind. */
export const isUnseen = (
  { metadata }: ApiObject,
  status: { readonly observedGeneration?: number } | undefined,
): boolean => (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);
export const unseen = (): Finding => progressing("its controller has not seen the last change yet");
