// The object to be stored by a create or an update: metadata, defaults, generation, what is wrong with them, and the
// strategies every resource has unless it overrides them. Pure, but for random names.
import type { Problem } from "../../api/errors.ts";
import { flatText } from "../../api/flat-text.ts";
import { sameJson } from "../../api/hash.ts";
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import {
  type ApiObject,
  type Draft,
  type DraftMeta,
  type Instant,
  type ObjectMeta,
  type OwnerReference,
  timestamp,
} from "../../api/meta.ts";
import { validateLabels, validateQualifiedName } from "../../api/names.ts";
import { detailOf, forbidden, invalid, required, unchanged, each, together } from "../../api/problems.ts";
import type { Random } from "../../machinery/world.ts";
import type { Strategy } from "./strategies/strategy.ts";

/** Without vowels and similar characters, so that random names are not words. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
/** What is longer is cut before a name is made of it. */
export const longestBase = 58;
const annotationsBytes = 256 * 1024;

/** `web-` becomes `web-x7k2p`; what is too long is cut, so that the ending always fits. */
export function generatedName(base: string, random: Random): string {
  const letters = Array.from({ length: 5 }, () => alphabet.charAt(Math.floor(random.next() * alphabet.length)));
  return flatText(base.slice(0, longestBase), ...letters);
}

/** A version 4 UUID from the world's random source, so that a replayed simulation makes the same ones. */
export function newUid(random: Random): string {
  const word = (): string =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  const [a, b, c, d] = [word(), word(), word(), word()];
  const variant = "89ab".charAt(Number.parseInt(c.charAt(0), 16) % 4);
  return flatText(a, "-", b.slice(0, 4), "-4", b.slice(5), "-", variant, c.slice(1, 4), "-", c.slice(4), d);
}

/**
 * Every field of the metadata in order, and when it can be set: on every write, on create only, or by the server.
 */
const fields = [
  ["name", "create"],
  ["generateName", "writer"],
  ["namespace", "create"],
  ["labels", "writer"],
  ["annotations", "writer"],
  ["ownerReferences", "writer"],
  ["finalizers", "writer"],
  ["managedFields", "writer"],
  ["uid", "server"],
  ["creationTimestamp", "server"],
  ["generation", "server"],
  ["deletionTimestamp", "server"],
  ["deletionGracePeriodSeconds", "server"],
  ["resourceVersion", "server"],
] as const;

/** The metadata a client may set on create; the server sets the rest. */
export function draftMeta(meta: DraftMeta & Partial<ObjectMeta>): DraftMeta {
  const draft: Record<string, unknown> = {};
  for (const [field, setBy] of fields) if (setBy !== "server" && meta[field] !== undefined) draft[field] = meta[field];
  return draft;
}

/** What a writer may change about an existing object: everything but its identity and its history. */
export function nextMeta(sent: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const next: Record<string, unknown> = {};
  for (const [field, setBy] of fields) {
    const value = (setBy === "writer" ? sent : current)[field];
    if (value !== undefined) next[field] = value;
  }
  return next as unknown as ObjectMeta;
}

const groupVersion = /^([^/]+\/)?[^/]+$/;
function validateOwner(owner: OwnerReference, path: string): readonly Problem[] {
  const { apiVersion, kind } = owner;
  const missing = (["apiVersion", "kind", "name", "uid"] as const).filter((field) => !owner[field]);
  return together(
    missing.map((field) => required(`${path}.${field}`, "must not be empty")),
    apiVersion &&
      !groupVersion.test(apiVersion) &&
      invalid(`${path}.apiVersion`, apiVersion, "must be <group>/<version> or <version>"),
    apiVersion === "v1" &&
      kind === "Event" &&
      invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner"),
  );
}

function validateOwners({ ownerReferences: owners = [] }: DraftMeta): readonly Problem[] {
  const path = "metadata.ownerReferences";
  const [first, ...others] = owners.filter((o) => o.controller === true).map(({ kind, name }) => `${kind}/${name}`);
  const because = `Only one reference can have Controller set to true. Found "true" in references for ${first} and`;
  return together(
    each(owners, path, validateOwner),
    others.map((other) => invalid(path, owners, `${because} ${other}`)),
  );
}

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];
/** Groups whose finalizers need not be qualified; those of custom resources need not, either. */
const lenient = new Set(["admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"]);

function validateFinalizers(r: ResourceDefinition, finalizers: readonly string[]): readonly Problem[] {
  const path = "metadata.finalizers";
  const isUnqualified = (name: string): boolean => !name.includes("/") && !standardFinalizers.includes(name);
  const because = "name is neither a standard finalizer name nor is it fully qualified";
  return together(
    finalizers.flatMap((name) => validateQualifiedName(name, path)),
    finalizers.includes("orphan") &&
      finalizers.includes("foregroundDeletion") &&
      invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set"),
    !lenient.has(r.group) &&
      !r.custom &&
      each(finalizers, path, (name, at) => isUnqualified(name) && invalid(at, name, because)),
  );
}

/**
 * The object with each owner once. Duplicates have a warning, whose text differs between duplicates in the body and
 * after a patch.
 */
export function withDistinctOwners<T extends { readonly metadata: DraftMeta }>(
  object: T,
  warn: (sentence: string) => void,
  noticed: "" | " after mutating admission happens" = "",
): T {
  const { ownerReferences: owners } = object.metadata;
  if (owners === undefined || owners.length < 2) return object;
  const isAgain = (i: number): boolean => owners.slice(0, i).some((earlier) => sameJson(earlier, owners[i]));
  const again = owners.filter((_, i) => isAgain(i));
  if (again.length === 0) return object;
  warn(
    `.metadata.ownerReferences contains duplicate entries${noticed}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${again.map((o) => o.uid).join(", ")}`,
  );
  return { ...object, metadata: { ...object.metadata, ownerReferences: owners.filter((_, i) => !isAgain(i)) } };
}

function validateAnnotations(annotations: DraftMeta["annotations"] = {}): readonly Problem[] {
  const path = "metadata.annotations";
  const size = Object.entries(annotations).reduce((sum, [k, v]) => sum + k.length + v.length, 0);
  return together(
    Object.keys(annotations).flatMap((k) => validateQualifiedName(k.toLowerCase(), path)),
    size > annotationsBytes && { path, message: `Too long: may not be more than ${annotationsBytes} bytes` },
  );
}

/** What is wrong with the metadata of an object. Unchanged fields are not validated again. */
export const validateMeta = (r: ResourceDefinition, meta: DraftMeta, old: DraftMeta = {}): readonly Problem[] =>
  together(
    !meta.name && required("metadata.name", "name or generateName is required"),
    meta.labels !== old.labels && validateLabels(meta.labels, "metadata.labels"),
    meta.annotations !== old.annotations && validateAnnotations(meta.annotations),
    meta.finalizers !== old.finalizers && validateFinalizers(r, meta.finalizers ?? []),
    meta.ownerReferences !== old.ownerReferences && validateOwners(meta),
  );

/** What is wrong with a change of metadata. */
export function validateMetaUpdate(r: ResourceDefinition, next: ObjectMeta, old: ObjectMeta): readonly Problem[] {
  const added = (next.finalizers ?? []).filter((f) => !(old.finalizers ?? []).includes(f));
  const because = "no new finalizers can be added if the object is being deleted, found new finalizers";
  return together(
    validateMeta(r, next, old),
    unchanged(next.uid, old.uid, "metadata.uid"),
    old.deletionTimestamp !== undefined &&
      added.length > 0 &&
      forbidden("metadata.finalizers", `${because} []string{${added.map((f) => JSON.stringify(f)).join(", ")}}`),
  );
}

/** Removes undefined fields, which JSON has none of. */
export function withoutUndefined<T extends object>(object: T): T {
  const entries = Object.entries(object);
  const defined = entries.filter(([, value]) => value !== undefined);
  return defined.length === entries.length ? object : (Object.fromEntries(defined) as T);
}

export type AnyObject = ApiObject & { readonly spec?: unknown; readonly status?: unknown };

/** What the server assigns to a new object. */
export interface Identity {
  readonly name: string | undefined;
  readonly uid: string;
  readonly now: Instant;
}

/** What raises the generation when it changes. */
function counted(r: ResourceDefinition, object: ApiObject): unknown {
  if (r.custom) {
    const { metadata: _, status, ...content } = object as AnyObject;
    return r.subresources.includes("status") ? content : { ...content, status };
  }
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
 * What is wrong with `generateName`. It is validated as a name, but may end with a dash. A kind validates names only
 * with everything else, so this runs only when there may be a problem.
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
  return together(
    object.metadata.generateName && validateNameBeginning(r, object, isNameWrong),
    validateMeta(r, object.metadata),
    problems,
  );
}

/** The object after an update: metadata, defaults and generation from the old and the new one. */
export function updated(r: ResourceDefinition, sent: ApiObject, old: ApiObject): ApiObject {
  const draft = { ...sent, metadata: nextMeta(sent.metadata, old.metadata) };
  const next = r.defaults(draft as Draft<ApiObject>, old) as AnyObject;
  const metadata = next.metadata === draft.metadata ? draft.metadata : nextMeta(next.metadata, old.metadata);
  const raised = r.generation !== "none" && !sameJson(counted(r, next), counted(r, old));
  return withoutUndefined({
    ...next,
    apiVersion: apiVersionOf(r),
    kind: r.kind,
    metadata: raised ? { ...metadata, generation: (old.metadata.generation ?? 0) + 1 } : metadata,
  });
}

/** With a status subresource, the object's own writes neither set nor change the status. */
export const defaultStrategy: Strategy = {
  prepareForCreate(draft, { r }) {
    if (!r.subresources.includes("status")) return draft;
    const { status: _, ...rest } = draft as AnyObject;
    return rest as Draft<AnyObject>;
  },
  prepareForUpdate(next, old, { r }) {
    const draft = r.subresources.includes("status") ? { ...next, status: (old as AnyObject).status } : next;
    return updated(r, draft, old);
  },
  validateUpdate: (next, old, { r }) => [
    ...validateMetaUpdate(r, next.metadata, old.metadata),
    ...r.validate(next as Draft<AnyObject>, old),
  ],
  warnings: (next, old, { r }) => r.warnings(next as Draft<AnyObject>, old),
  tracksFields: true,
  deletion: {},
};

/** A write of the status leaves everything else as it is, some metadata aside. */
export const statusStrategy = ({ statusKeeps = [] }: Pick<Strategy, "statusKeeps">): Strategy => ({
  ...defaultStrategy,
  readsStatusOnly: true,
  prepareForUpdate(next, old, { r }) {
    const { status, metadata } = next as AnyObject;
    const kept = Object.fromEntries(statusKeeps.map((field) => [field, old.metadata[field]]));
    return withoutUndefined({
      ...old,
      metadata: nextMeta(statusKeeps.length === 0 ? metadata : { ...metadata, ...kept }, old.metadata),
      status: status && r.statusDefaults(status),
    });
  },
  validateUpdate: (next, old, { r }) => [
    ...validateMetaUpdate(r, next.metadata, old.metadata),
    ...r.validateStatus(next, old),
  ],
  warnings: () => [],
});

/** The body is laid over the object, which is then written as in any update. */
export const mergeStrategy = (merge: NonNullable<Strategy["merge"]>, own: Partial<Strategy> = {}): Strategy => ({
  ...defaultStrategy,
  merge,
  ...own,
});
