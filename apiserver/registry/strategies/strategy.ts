// Strategy: what is specific to writes of one resource or one subresource. A resource without one of its own, such as
// any custom resource, has the default strategy.
import type { Problem } from "../../../api/errors.ts";
import type { ApiObject, Draft, ObjectMeta } from "../../../api/meta.ts";
import type { Authorizer, Decision } from "../../authorization/authorizer.ts";
import type { WriteAttributes } from "../admission.ts";

/** What a deletion does to objects of a resource. */
export interface DeletionStrategy {
  /** The propagation policy when neither the request nor the object has one: old kinds orphan their dependents. */
  readonly dependents?: "orphan" | "none";
  /** Seconds until the object is removed, for resources that end gracefully. */
  gracePeriodSeconds?(object: ApiObject, requested: number | undefined): number;
  /** Whether something beside `metadata.finalizers` still holds the object. */
  isHeld?(object: ApiObject): boolean;
  /** The object while it waits for its removal. */
  whileTerminating?(object: ApiObject): ApiObject;
  /** Whether the response to a deletion is the last state of the object instead of a Status. */
  readonly returnsObject?: true;
  /** Deleted one by one, never by a selector. */
  readonly isSingle?: true;
}

/** Pure, but for `authorize`. */
export interface Strategy {
  /** Sets and resets fields of a new object before its defaults are filled in. */
  prepareForCreate(draft: Draft<ApiObject>, by: WriteAttributes): Draft<ApiObject>;
  /** Lays a body of the subresource's own kind over the stored object. Absent where bodies are the object itself. */
  readonly merge?: (old: ApiObject, sent: ApiObject, by: WriteAttributes) => ApiObject;
  /** Only the status and the metadata of what is sent are read. */
  readonly readsStatusOnly?: true;
  /** The object to be stored: fields that this write may not change are taken from the old one. */
  prepareForUpdate(next: ApiObject, old: ApiObject, by: WriteAttributes): ApiObject;
  /** What is wrong with an update. */
  validateUpdate(next: ApiObject, old: ApiObject, by: WriteAttributes): readonly Problem[];
  /** Sentences for Warning headers. */
  warnings(next: ApiObject, old: ApiObject | undefined, by: WriteAttributes): readonly string[];
  /** Whether writes are recorded in `metadata.managedFields`. */
  readonly tracksFields: boolean;
  /** Permission beyond that for the request itself, such as to sign for a signer. */
  readonly authorize?: (by: WriteAttributes, next: ApiObject, authorizer: Authorizer) => Promise<Decision | undefined>;
  /** Metadata that a write of the status leaves as it is. */
  readonly statusKeeps?: readonly (keyof ObjectMeta)[];
  readonly deletion: DeletionStrategy;
}
