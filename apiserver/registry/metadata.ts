// The part of an object every kind shares: who it is, since when, and what may be said about it.
import type { Problem } from "../../api/errors.ts";
import { sameJson } from "../../api/hash.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { DraftMeta, ObjectMeta, OwnerReference } from "../../api/meta.ts";
import { validateLabels, validateQualifiedName } from "../../api/names.ts";
import { forbidden, invalid, required, unchanged } from "../../api/problems.ts";
import type { Random } from "../../machinery/world.ts";

/** No vowels and no look-alikes: a random name should not spell a word. */
const alphabet = "bcdfghjklmnpqrstvwxz2456789";
/** What is longer is cut before a name is made of it. */
export const longestBase = 58;
const annotationsBytes = 256 * 1024;

/** `web-` becomes `web-x7k2p`; what is too long is cut, so that the ending always fits. */
export function generatedName(base: string, random: Random): string {
  let name = base.slice(0, longestBase);
  for (let i = 0; i < 5; i++) name += alphabet[Math.floor(random.next() * alphabet.length)];
  return name;
}

/** A version 4 UUID from the world's dice, so that a replayed simulation makes the same ones. */
export function newUid(random: Random): string {
  const word = (): string =>
    Math.floor(random.next() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  const [a, b, c, d] = [word(), word(), word(), word()];
  const variant = "89ab"[Number.parseInt(c[0]!, 16) % 4];
  // Joined, and not a template: see `timestamp`.
  return [a, b.slice(0, 4), `4${b.slice(5)}`, `${variant}${c.slice(1, 4)}`, `${c.slice(4)}${d}`].join("-");
}

/**
 * Every field of the metadata in its order, and whose it is: a writer says it at any time, or at birth alone, or it is
 * the object's history, which the server writes.
 */
const fields = [
  ["name", "birth"],
  ["generateName", "writer"],
  ["namespace", "birth"],
  ["labels", "writer"],
  ["annotations", "writer"],
  ["ownerReferences", "writer"],
  ["finalizers", "writer"],
  ["managedFields", "writer"],
  ["uid", "history"],
  ["creationTimestamp", "history"],
  ["generation", "history"],
  ["deletionTimestamp", "history"],
  ["deletionGracePeriodSeconds", "history"],
  ["resourceVersion", "history"],
] as const;

/** What a user may say of a new object; the rest is the server's to fill in. */
export function draftMeta(meta: DraftMeta & Partial<ObjectMeta>): DraftMeta {
  const draft: Record<string, unknown> = {};
  for (const [field, whose] of fields) if (whose !== "history" && meta[field] !== undefined) draft[field] = meta[field];
  return draft;
}

/** What a writer may change about an existing object: everything but its identity and its history. */
export function nextMeta(given: ObjectMeta, current: ObjectMeta): ObjectMeta {
  const next: Record<string, unknown> = {};
  for (const [field, whose] of fields) {
    const value = (whose === "writer" ? given : current)[field];
    if (value !== undefined) next[field] = value;
  }
  return next as unknown as ObjectMeta;
}

const groupVersion = /^([^/]+\/)?[^/]+$/;
function validateOwner(owner: OwnerReference, path: string): readonly Problem[] {
  const missing = (["apiVersion", "kind", "name", "uid"] as const).filter((field) => !owner[field]);
  const { apiVersion, kind } = owner;
  return [
    ...missing.map((field) => required(`${path}.${field}`, "must not be empty")),
    ...(apiVersion && !groupVersion.test(apiVersion)
      ? [invalid(`${path}.apiVersion`, apiVersion, "must be <group>/<version> or <version>")]
      : []),
    ...(apiVersion === "v1" && kind === "Event"
      ? [invalid(path, owner, "/v1, Kind=Event is disallowed from being an owner")]
      : []),
  ];
}

function validateOwners({ ownerReferences: owners = [] }: DraftMeta): readonly Problem[] {
  const path = "metadata.ownerReferences";
  const [first, ...others] = owners.filter((o) => o.controller === true).map(({ kind, name }) => `${kind}/${name}`);
  const because = `Only one reference can have Controller set to true. Found "true" in references for ${first} and`;
  return [
    ...owners.flatMap((owner, i) => validateOwner(owner, `${path}[${i}]`)),
    ...others.map((other) => invalid(path, owners, `${because} ${other}`)),
  ];
}

const standardFinalizers = ["kubernetes", "orphan", "foregroundDeletion"];
/** Groups that let anybody hold their objects, under any name. */
const lenient = new Set(["admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"]);

function validateFinalizers(r: ResourceDefinition, finalizers: readonly string[]): readonly Problem[] {
  const path = "metadata.finalizers";
  const isAnyones = (name: string): boolean => !name.includes("/") && !standardFinalizers.includes(name);
  const because = "name is neither a standard finalizer name nor is it fully qualified";
  return [
    ...finalizers.flatMap((name) => validateQualifiedName(name, path)),
    ...(finalizers.includes("orphan") && finalizers.includes("foregroundDeletion")
      ? [invalid(path, finalizers, "finalizer orphan and foregroundDeletion cannot be both set")]
      : []),
    ...(lenient.has(r.group)
      ? []
      : finalizers.flatMap((name, i) => (isAnyones(name) ? [invalid(`${path}[${i}]`, name, because)] : []))),
  ];
}

/**
 * The object with each of its owners once. Who names one twice is told, in the words for when it was noticed: as the
 * object was read, or after it was patched.
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
  const size = Object.entries(annotations).reduce((sum, [k, v]) => sum + k.length + v.length, 0);
  return [
    ...Object.keys(annotations).flatMap((k) => validateQualifiedName(k.toLowerCase(), "metadata.annotations")),
    ...(size > annotationsBytes
      ? [{ path: "metadata.annotations", message: `Too long: may not be more than ${annotationsBytes} bytes` }]
      : []),
  ];
}

/** What is wrong with the metadata of an object. What stands as it stood before has been judged before. */
export function validateMeta(r: ResourceDefinition, meta: DraftMeta, old: DraftMeta = {}): readonly Problem[] {
  const problems: Problem[] = [];
  if (!meta.name) problems.push(required("metadata.name", "name or generateName is required"));
  if (meta.labels !== old.labels) problems.push(...validateLabels(meta.labels, "metadata.labels"));
  if (meta.annotations !== old.annotations) problems.push(...validateAnnotations(meta.annotations));
  if (meta.finalizers !== old.finalizers) problems.push(...validateFinalizers(r, meta.finalizers ?? []));
  if (meta.ownerReferences !== old.ownerReferences) problems.push(...validateOwners(meta));
  return problems;
}

/** What is wrong with a change of metadata. */
export function validateMetaUpdate(r: ResourceDefinition, next: ObjectMeta, old: ObjectMeta): readonly Problem[] {
  const added = (next.finalizers ?? []).filter((f) => !(old.finalizers ?? []).includes(f));
  const late = old.deletionTimestamp !== undefined && added.length > 0;
  return [
    ...validateMeta(r, next, old),
    ...unchanged(next.uid, old.uid, "metadata.uid"),
    ...(late
      ? [
          forbidden(
            "metadata.finalizers",
            `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(", ")}}`,
          ),
        ]
      : []),
  ];
}
