// Objects as stored bytes and back, and the keys they are stored under. The bytes begin with the metadata, so that the
// revision, known only after the commit, is put in front when they are served: nothing is encoded twice.
import { sameJson } from "../../api/hash.ts";
import type { ApiObject } from "../../api/meta.ts";
import { frozen } from "../../machinery/frozen.ts";
import type { Stored } from "../storage/storage.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { decode } from "../../api/schema.ts";
import { unhandled } from "./refusals.ts";

const encoder = new TextEncoder();
const opening = Buffer.from('{"metadata":{');

/** The bytes to commit. The revision is left out: it is known after the commit. */
export function encode(object: ApiObject): Uint8Array {
  const { metadata, ...rest } = object;
  const { resourceVersion: _, ...kept } = metadata;
  // Allocated on its own: a part of a slab would keep all of it in memory.
  return encoder.encode(JSON.stringify({ metadata: kept, ...rest }));
}

/** The first bytes of an encoded object, with its revision or another one. */
export const wireHead = (at: number): string => `{"metadata":{"resourceVersion":"${at}",`;
/** The remaining bytes: the stored ones after their opening, unchanged. */
export const wireTail = ({ value: { buffer, byteOffset, byteLength } }: Stored): Buffer =>
  Buffer.from(buffer, byteOffset + opening.length, byteLength - opening.length);

const slabBytes = 64 * 1024;
let slab = Buffer.alloc(0);
/** A buffer for a reply, cut from a slab: replies are many and short-lived. */
function room(bytes: number): Buffer {
  if (bytes > slabBytes / 4) return Buffer.allocUnsafeSlow(bytes);
  if (bytes > slab.length) slab = Buffer.allocUnsafeSlow(slabBytes);
  const cut = slab.subarray(0, bytes);
  slab = slab.subarray(bytes);
  return cut;
}

/** The encoded object in one copy, followed by `end`. */
export function wireBytes(stored: Stored, end = "", at: number = stored.modified): Buffer {
  const [head, tail] = [wireHead(at), wireTail(stored)];
  const bytes = room(head.length + tail.length + end.length);
  bytes.write(head, 0, "latin1");
  bytes.set(tail, head.length);
  bytes.write(end, head.length + tail.length, "latin1");
  return bytes;
}

// Keyed by the bytes: all readers of a commit share one parsed object. It is kept while it is referenced, such as by
// a view; other objects are kept only as bytes.
const parsed = new WeakMap<Uint8Array, WeakRef<ApiObject>>();

const atRevision = (object: ApiObject, at: number): ApiObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(at) },
});

const parse = (value: Uint8Array): ApiObject => JSON.parse(Buffer.from(value).toString()) as ApiObject;

/**
 * The object these bytes are, for selectors: its revision may be missing. It is not frozen, which costs more than what
 * a selector reads.
 */
export function selectableObjectOf({ value }: Stored): ApiObject {
  const known = parsed.get(value)?.deref();
  if (known) return known;
  const object = parse(value);
  parsed.set(value, new WeakRef(object));
  return object;
}

/** The object these bytes are, parsed once and frozen. */
export function objectOf<T extends ApiObject = ApiObject>({ value, modified }: Stored): T {
  const known = parsed.get(value)?.deref();
  if (known?.metadata.resourceVersion === String(modified)) return known as T;
  const object = frozen(atRevision(known ?? parse(value), modified));
  parsed.set(value, new WeakRef(object));
  return object as T;
}

/**
 * Whether the object, encoded as these bytes, equals the stored one. The same fields in another order take as many
 * bytes.
 */
export function isWritten(bytes: Uint8Array, object: ApiObject, current: Stored): boolean {
  if (bytes.length !== current.value.length) return false;
  return Buffer.compare(bytes, current.value) === 0 || sameJson(object, objectOf(current));
}

/** The object with another revision, such as that of its deletion. */
export const objectAt = <T extends ApiObject>(stored: Stored, at: number): T =>
  frozen(atRevision(objectOf(stored), at)) as T;

/**
 * Caches what was just encoded, so that the server's own writes are never parsed: before the commit, because watches
 * read it at once. Its revision is added when it is read.
 */
export function remember(value: Uint8Array, object: ApiObject): void {
  parsed.set(value, new WeakRef(object));
}

/** Where the objects of a kind, or of a kind in a namespace, are kept. */
export const prefixOf = (r: ResourceDefinition, namespace?: string): string =>
  namespace === undefined || namespace === "" ? `/${r.group}/${r.plural}/` : `/${r.group}/${r.plural}/${namespace}/`;

/**
 * The object as its schema reads it: pruned, quantities canonical. Objects of in-process callers are decoded as well.
 * Parts shared with `known`, the object it was made from, are decoded already.
 */
export function decoded<T extends object>(r: ResourceDefinition, object: T, known?: object): T {
  const { value, wrong } = decode(r.schema, object, known);
  if (wrong[0]) throw unhandled(r, wrong[0].read);
  return value as T;
}
