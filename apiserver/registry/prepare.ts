// The object to be stored by a create or an update: identity, defaults, generation, and what is wrong with it. Pure.
import type { Problem } from "../../api/errors.ts";
import { sameJson } from "../../api/hash.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Instant, timestamp } from "../../api/meta.ts";
import { detailOf, invalid } from "../../api/problems.ts";
import { draftMeta, longestBase, nextMeta, validateMeta } from "./metadata.ts";

/** JSON knows no undefined: what is undefined is not there. */
export const withoutUndefined = <T extends object>(object: T): T =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;

export type AnyObject = ApiObject & { readonly spec?: unknown; readonly status?: unknown };

/** What the server assigns to a new object. */
export interface Identity {
  readonly name: string | undefined;
  readonly uid: string;
  readonly now: Instant;
}

/** What raises the generation when it changes. */
function counted(r: ResourceDefinition, object: ApiObject): unknown {
  if (r.generation !== "content") return (object as unknown as Record<string, unknown>)[r.generation];
  const { metadata, status: _, ...content } = object as AnyObject;
  return { ...content, labels: metadata.labels };
}

/** The object to be created. */
export function prepareCreate(r: ResourceDefinition, draft: Draft<ApiObject>, identity: Identity): ApiObject {
  const { metadata, ...body } = draft as AnyObject;
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

/** The object as it stands after an update: metadata, defaults and generation of the old one and the new one. */
export function updated(r: ResourceDefinition, sent: ApiObject, old: ApiObject): ApiObject {
  const draft = { ...sent, metadata: nextMeta(sent.metadata, old.metadata) };
  const next = r.defaults(draft as Draft<ApiObject>, old) as AnyObject;
  const metadata = nextMeta(next.metadata, old.metadata);
  const raised = r.generation !== "none" && !sameJson(counted(r, next), counted(r, old));
  return withoutUndefined({
    ...next,
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: raised ? { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } : metadata,
  });
}
