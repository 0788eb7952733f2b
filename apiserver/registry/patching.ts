// Updates and patches of all four types, of an object or of a subresource; some create a missing object.
import { ApiError, hasReason } from "../../api/errors.ts";
import { type ApiObject, type Draft, splitKey } from "../../api/meta.ts";
import { conflict, otherUid } from "./refusals.ts";
import type { Change, Registry, Target, WriteOptions } from "./verbs.ts";
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import type { Patch } from "../../machinery/client.ts";
import type { Stored } from "../storage/storage.ts";
import { applied, appliedNew, withLastApplied, typeError } from "./fields/apply.ts";
import type { Writer } from "./fields/ownership.ts";
import { replicasOf, subresourceOf } from "./strategies/table.ts";
import { decoded } from "./codec.ts";
import { patchedObject } from "./patch/patch.ts";

/** Without the revision, which a new object has none of. */
function unversionedDraft(object: Draft<ApiObject>): Draft<ApiObject> {
  const { resourceVersion: _, ...metadata } = object.metadata as Partial<ApiObject["metadata"]>;
  return { ...object, metadata } as Draft<ApiObject>;
}

/** Replaces the object, or creates a missing one if updates of its kind can create. */
export async function put(
  registry: Registry,
  target: Target,
  object: Draft<ApiObject>,
  options: WriteOptions,
): Promise<Patched> {
  const { r, key, subresource } = target;
  for (;;) {
    try {
      return { stored: await registry.change(target, () => object as unknown as ApiObject, options), created: false };
    } catch (e) {
      if (!hasReason(e, "NotFound") || !r.allowCreateOnUpdate || subresource !== undefined) throw e;
    }
    const { uid } = object.metadata as Partial<ApiObject["metadata"]>;
    if (uid) throw otherUid(r, key, uid);
    try {
      const stored = await registry.create(r, unversionedDraft(object), { ...options, authorizesCreate: true });
      return { stored, created: true };
    } catch (e) {
      // Created by another writer meanwhile: replace that.
      if (!hasReason(e, "AlreadyExists")) throw e;
    }
  }
}

/** A patched object, and whether the patch brought it into being. */
export interface Patched {
  readonly stored: Stored;
  readonly created: boolean;
}
type Apply = Patch & { readonly type: "apply" };
type Config = ApiObject & { readonly spec?: { readonly replicas?: number } };

const kindOf = (apiVersion: string, kind: string): string => {
  const slash = apiVersion.indexOf("/");
  return `${apiVersion.slice(0, Math.max(slash, 0))}/${apiVersion.slice(slash + 1)}, Kind=${kind}`;
};

/** The applied configuration, decoded. Throws for another kind, wrong types and unknown fields. */
function configOf(r: ResourceDefinition, sent: object): ApiObject {
  const { apiVersion = "", kind = "", metadata } = sent as Partial<ApiObject>;
  const gvk = kindOf(String(apiVersion), String(kind));
  if (apiVersion !== apiVersionOf(r) || kind !== r.kind)
    throw new ApiError("BadRequest", `invalid object type: ${gvk}`);
  if (metadata?.managedFields) throw new ApiError("BadRequest", "metadata.managedFields must be nil");
  const error = typeError(r.schema, sent);
  const who = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}; ${gvk}`;
  if (error !== undefined) throw new ApiError("Unknown", `failed to create typed patch object (${who}): ${error}`);
  return decoded(r, { metadata: {}, ...sent } as unknown as ApiObject);
}

/** The configuration with the name and namespace of the path, which it must not contradict. */
function placed(config: ApiObject, { key }: Target): ApiObject {
  const { namespace, name } = splitKey(key);
  const meta = config.metadata;
  if (meta.namespace && meta.namespace !== namespace && namespace !== undefined)
    throw new ApiError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  if (meta.name !== undefined && meta.name !== name)
    throw new ApiError(
      "BadRequest",
      `the name of the object (${meta.name}) does not match the name on the URL (${name})`,
    );
  return { ...config, metadata: { ...meta, name, ...(namespace !== undefined && { namespace }) } };
}

/** An applied Scale as a configuration of the object: its number of replicas. */
function scaled(r: ResourceDefinition, config: Config): ApiObject {
  const { metadata, spec } = config;
  return {
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata,
    spec: replicasOf(spec),
  } as ApiObject;
}

/** Applies a configuration to the object, or creates it. */
export async function applyTo(
  registry: Registry,
  target: Target,
  patch: Apply,
  options: WriteOptions,
): Promise<Patched> {
  const { r, subresource } = target;
  const bodyKind = subresource && subresourceOf(r, subresource)?.bodyKind;
  const sent = placed(configOf(bodyKind ?? r, patch.object), target);
  const config = bodyKind ? scaled(r, sent) : sent;
  const now = registry.world.clock.now();
  const writer: Writer = { manager: patch.fieldManager, now, ...(subresource && { subresource }) };
  const how = { ...options, ownership: "supplied", isMerged: true } as const;
  for (;;) {
    try {
      const decide = (current: ApiObject): ApiObject =>
        withLastApplied(applied(r, current, config, writer, patch.force ?? false), patch.object, patch.fieldManager);
      return { stored: await registry.change(target, decide, how), created: false };
    } catch (e) {
      if (!hasReason(e, "NotFound") || subresource !== undefined) throw e;
    }
    const { uid } = config.metadata;
    if (uid)
      throw conflict(
        r,
        config.metadata.name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    try {
      const stored = await registry.create(r, appliedNew(r, config, writer), { ...how, authorizesCreate: true });
      return { stored, created: true };
    } catch (e) {
      // Created by another writer meanwhile: apply to that.
      if (!hasReason(e, "AlreadyExists")) throw e;
    }
  }
}

/** `inspect` sees what the patch made before it is pruned to its schema, and may refuse it. */
export interface PatchOptions extends WriteOptions {
  readonly inspect?: (object: ApiObject, current: ApiObject) => ApiObject;
}

/** Patches the stored object, in the kind of the subresource's bodies, and writes the outcome. */
export async function patched(
  registry: Registry,
  target: Target,
  patch: Patch,
  options: PatchOptions = {},
): Promise<Patched> {
  if (patch.type === "apply") return applyTo(registry, target, patch, options);
  const { inspect = (object) => object } = options;
  const { r, subresource } = target;
  const { bodyKind = r, show = (object: ApiObject) => object } = (subresource && subresourceOf(r, subresource)) || {};
  const decide: Change = (current) => {
    const shown = show(current);
    return inspect(patchedObject(bodyKind, shown, patch), shown);
  };
  return { stored: await registry.change(target, decide, options), created: false };
}
