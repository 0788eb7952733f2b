// What is stored when something is created or changed: identity, defaults and history filled in, then judged. Pure.
import type { Problem } from "../../api/errors.ts";
import { sameJson } from "../../api/hash.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Instant, timestamp } from "../../api/meta.ts";
import type { Pod } from "../../api/core/pods.ts";
import { detailOf, invalid } from "../../api/problems.ts";
import { validateEphemeralChange } from "../../api/core/pod/ephemeral-containers.ts";
import { validateResize } from "../../api/core/pod/resize.ts";
import type { WritableSubresource } from "../../machinery/client.ts";
import { draftMeta, longestBase, nextMeta, statusMeta, validateMeta, validateMetaUpdate } from "./metadata.ts";

/** JSON knows no undefined: what is undefined is not there. */
export const withoutUndefined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

type AnyObject = ApiObject & { readonly spec?: unknown; readonly status?: unknown };

/** What the server itself says of a new object. */
export interface Identity {
  readonly name: string | undefined;
  readonly uid: string;
  readonly now: Instant;
}

/** A node says itself what it has when it registers; everybody else's status is for controllers to find out. */
const bringsItsStatus = (r: ResourceDefinition): boolean => r.group === "" && r.plural === "nodes";

/** What raises the generation when it changes. */
function counted(r: ResourceDefinition, object: AnyObject): unknown {
  if (r.generation !== "content") return (object as unknown as Record<string, unknown>)[r.generation];
  const { metadata, status: _, ...content } = object;
  return { ...content, labels: metadata.labels };
}

/** The object to be created, and what is wrong with it. */
export function prepareCreate(r: ResourceDefinition, draft: Draft<ApiObject>, identity: Identity): ApiObject {
  const { metadata, ...rest } = draft as AnyObject;
  const { status, ...withoutStatus } = rest;
  const body = r.subresources.includes("status") && !bringsItsStatus(r) ? withoutStatus : rest;
  const meta = { ...draftMeta(metadata), ...(identity.name !== undefined && { name: identity.name }) };
  const full = r.defaults({ ...body, metadata: meta } as Draft<ApiObject>);
  return r.onCreate({
    ...full,
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: {
      ...full.metadata,
      uid: identity.uid,
      creationTimestamp: timestamp(identity.now),
      ...(r.generation !== "none" && { generation: 1 }),
    },
  } as unknown as ApiObject);
}
/**
 * What is wrong with the beginning of a made-up name. It is judged as a name is, but may end with a dash. A kind says
 * what is wrong with a name only together with everything else, so it is asked only when there is a reason to.
 */
function validateNameBeginning(r: ResourceDefinition, object: ApiObject, isNameWrong: boolean): readonly Problem[] {
  const { generateName = "" } = object.metadata;
  if (!isNameWrong && generateName.length <= longestBase) return [];
  const name = generateName.replace(/(?<=.)-$/, "a");
  const problems = r.validate({ ...object, metadata: { ...object.metadata, name } } as unknown as Draft<ApiObject>);
  return problems.flatMap((p) =>
    p.path === "metadata.name" ? [invalid("metadata.generateName", generateName, detailOf(p))] : [],
  );
}

/** What is wrong with a new object. */
export function validateCreate(r: ResourceDefinition, object: ApiObject): readonly Problem[] {
  const problems = r.validate(object as unknown as Draft<ApiObject>);
  const isNameWrong = problems.some((p) => p.path === "metadata.name");
  return [
    ...(object.metadata.generateName ? validateNameBeginning(r, object, isNameWrong) : []),
    ...validateMeta(r, object.metadata),
    ...problems,
  ];
}

/** What holds a namespace is written by itself, or by whoever has emptied one that is going and lets it go. */
const keptSpec = (r: ResourceDefinition, current: AnyObject): { readonly spec?: unknown } =>
  r.group === "" && r.plural === "namespaces" && current.metadata.deletionTimestamp === undefined
    ? { spec: current.spec }
    : {};

/** Parts that are written by themselves. A binding is decided by the server alone and stands as it is. */
export type Part = WritableSubresource;

/** The object as it will stand after a whole update, or an update of its status alone. */
export function prepareUpdate(r: ResourceDefinition, given: ApiObject, current: ApiObject, part?: Part): ApiObject {
  const [wanted, old] = [given as AnyObject, current as AnyObject];
  if (part === "binding" || part === "finalize") return given;
  if (part === "status") {
    return withoutUndefined({
      ...old,
      metadata: statusMeta(r, wanted.metadata, old.metadata),
      status: wanted.status && r.statusDefaults(wanted.status),
    }) as ApiObject;
  }
  const status = r.subresources.includes("status") ? { status: old.status } : {};
  const draft = { ...wanted, ...keptSpec(r, old), ...status, metadata: nextMeta(wanted.metadata, old.metadata) };
  const next = r.defaults(draft as unknown as Draft<ApiObject>, current) as unknown as AnyObject;
  const metadata = nextMeta(next.metadata, old.metadata);
  const raised = r.generation !== "none" && !sameJson(counted(r, next), counted(r, old));
  return withoutUndefined({
    ...next,
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: raised ? { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } : metadata,
  }) as ApiObject;
}
/** What is wrong with a change. A status leaves the rest of the object as it was, and that has been judged before. */
export function validateUpdate(
  r: ResourceDefinition,
  next: ApiObject,
  current: ApiObject,
  part?: Part,
): readonly Problem[] {
  if (part === "binding") return [];
  if (part === "ephemeralcontainers") return validateEphemeralChange(next as Pod, current as Pod);
  const problems = validateMetaUpdate(r, next.metadata, current.metadata);
  if (part === "resize") return [...problems, ...validateResize(next as Pod, current as Pod)];
  if (part === "status") return [...problems, ...r.validateStatus(next, current)];
  return [...problems, ...r.validate(next as unknown as Draft<ApiObject>, current)];
}
