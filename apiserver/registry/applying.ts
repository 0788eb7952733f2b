// Server-side apply on its way to the log: what a manager says is checked, laid over what stands there, or made when
// nothing does.
import { ApiError, hasReason } from "../../api/errors.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, splitKey } from "../../api/meta.ts";
import type { Patch } from "../../machinery/client.ts";
import type { Stored } from "../storage/storage.ts";
import { applied, appliedNew } from "./fields/apply.ts";
import { typeError } from "./fields/check.ts";
import { followed } from "./fields/last-applied.ts";
import type { Writer } from "./fields/update.ts";
import { replicasOf, subresourceOf } from "./subresources.ts";
import { conflict } from "./refusals.ts";
import type { Registry, Target, WriteOptions } from "./verbs.ts";
import { decoded } from "./write.ts";

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

/** What an apply says, as the kind's schema reads it; of a wrong type, or with fields nobody knows, it is none. */
function configOf(r: ResourceDefinition, given: object): ApiObject {
  const { apiVersion = "", kind = "", metadata } = given as Partial<ApiObject>;
  const gvk = kindOf(String(apiVersion), String(kind));
  if (apiVersion !== apiVersionOf(r) || kind !== r.kind)
    throw new ApiError("BadRequest", `invalid object type: ${gvk}`);
  if (metadata?.managedFields) throw new ApiError("BadRequest", "metadata.managedFields must be nil");
  const error = typeError(r.schema, given);
  const who = `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}; ${gvk}`;
  if (error !== undefined) throw new ApiError("Unknown", `failed to create typed patch object (${who}): ${error}`);
  return decoded(r, { metadata: {}, ...given } as unknown as ApiObject);
}

/** The object is where its path says it is. */
function placed(config: ApiObject, { key }: Target): ApiObject {
  const { namespace, name } = splitKey(key);
  const said = config.metadata;
  if (said.namespace && said.namespace !== namespace && namespace !== undefined)
    throw new ApiError(
      "BadRequest",
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  if (said.name !== undefined && said.name !== name)
    throw new ApiError(
      "BadRequest",
      `the name of the object (${said.name}) does not match the name on the URL (${name})`,
    );
  return { ...config, metadata: { ...said, name, ...(namespace !== undefined && { namespace }) } };
}

/** A scale is said in words of its own: of the object itself it says how many. */
function scaled(r: ResourceDefinition, config: Config): ApiObject {
  const { metadata, spec } = config;
  return {
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata,
    spec: replicasOf(spec),
  } as ApiObject;
}

/** Lay what a manager says over what stands there, or make it when nothing does. */
export async function applyTo(
  registry: Registry,
  target: Target,
  patch: Apply,
  options: WriteOptions,
): Promise<Patched> {
  const { r, subresource } = target;
  const speaks = subresource && subresourceOf(r, subresource)?.speaks;
  const sent = placed(configOf(speaks ?? r, patch.object), target);
  const config = speaks ? scaled(r, sent) : sent;
  const now = registry.world.clock.now();
  const writer: Writer = { manager: patch.fieldManager, now, ...(subresource && { subresource }) };
  const how = { ...options, ownership: "given", isMerged: true } as const;
  for (;;) {
    try {
      const decide = (current: ApiObject): ApiObject =>
        followed(applied(r, current, config, writer, patch.force ?? false), patch.object, patch.fieldManager);
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
      return { stored: await registry.create(r, appliedNew(r, config, writer), how), created: true };
    } catch (e) {
      // Somebody else made it meanwhile: then there is something to lay this over.
      if (!hasReason(e, "AlreadyExists")) throw e;
    }
  }
}
