// Writes of CustomResourceDefinitions: the versions that objects may be stored in, and how a deletion begins. Source:
// the custom resources page, "Versions" and "Finalizers".
import { withCondition } from "../../../api/conditions.ts";
import type { CustomResourceDefinition } from "../../../api/generated/types.ts";
import { type ApiObject, instantOf } from "../../../api/meta.ts";
import { defaultStrategy } from "../prepare.ts";
import type { Strategy } from "./strategy.ts";

/** Keeps a definition until its objects are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

/** Objects may be stored in every version that was the storage version, until somebody migrates them. */
function withStoredVersion(crd: CustomResourceDefinition): CustomResourceDefinition {
  const storage = crd.spec.versions.find((version) => version.storage)?.name;
  const stored = crd.status?.storedVersions ?? [];
  if (storage === undefined || stored.includes(storage)) return crd;
  return { ...crd, status: { ...crd.status, storedVersions: [...stored, storage] } };
}

function terminating(object: ApiObject): ApiObject {
  const crd = object as CustomResourceDefinition;
  const { finalizers = [], deletionTimestamp } = crd.metadata;
  const condition = {
    ...{ type: "Terminating", status: "True", reason: "InstanceDeletionPending" },
    message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  };
  const conditions = withCondition(crd.status?.conditions, condition, instantOf(deletionTimestamp!));
  return {
    ...crd,
    metadata: { ...crd.metadata, finalizers: [...new Set([...finalizers, cleanupFinalizer])] },
    status: { ...crd.status, conditions },
  } as CustomResourceDefinition;
}

export const customResourceDefinitionStrategy: Partial<Strategy> = {
  prepareForUpdate: (next, old, by) =>
    withStoredVersion(defaultStrategy.prepareForUpdate(next, old, by) as CustomResourceDefinition),
  deletion: { isHeld: ({ metadata }) => metadata.deletionTimestamp === undefined, whileTerminating: terminating },
};
