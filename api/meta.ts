// Identities, metadata and time of objects, which are the parsed JSON of the API. No I/O, clock or random numbers.
import { flatText } from "./flat-text.ts";

declare const brand: unique symbol;
/** A nominal primitive type: a name cannot be passed as a uid. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A position in the cluster's global, strictly increasing history. On the wire: `resourceVersion`. */
export type Revision = Brand<number, "Revision">;
/** Milliseconds since the epoch. */
export type Instant = Brand<number, "Instant">;
/** `namespace/name`, or `name` for a cluster-scoped object. */
export type Key = Brand<string, "Key">;

export const revision = (n: number): Revision => n as Revision;
export const instant = (ms: number): Instant => ms as Instant;

/** The key of a name in a namespace; without a namespace, of a cluster-scoped object. */
export const key = (namespace: string | undefined, name: string): Key =>
  (namespace === undefined ? name : `${namespace}/${name}`) as Key;
export const keyOf = (o: { readonly metadata: { readonly namespace?: string; readonly name: string } }): Key =>
  key(o.metadata.namespace, o.metadata.name);

/** Undo {@link key}. */
export function splitKey(k: Key): { readonly namespace?: string; readonly name: string } {
  const slash = k.indexOf("/");
  return slash < 0 ? { name: k } : { namespace: k.slice(0, slash), name: k.slice(slash + 1) };
}

/** RFC 3339 with seconds, as `metav1.Time` is written. */
export function timestamp(at: Instant): string {
  const second = Math.floor(at / 1000);
  if (second !== latest.second) latest = { second, text: flatText(new Date(at).toISOString().slice(0, 19), "Z") };
  return latest.text;
}
// Most timestamps are of the same second as the previous one.
let latest = { second: Number.NaN, text: "" };
/** RFC 3339 with microseconds, as `metav1.MicroTime` is written. */
export const microTimestamp = (at: Instant): string => flatText(new Date(at).toISOString().slice(0, 23), "000Z");
export const instantOf = (rfc3339: string): Instant => Date.parse(rfc3339) as Instant;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: string;
  readonly apiVersion?: string;
  readonly time?: string;
  readonly fieldsType?: string;
  readonly fieldsV1?: object;
  readonly subresource?: string;
}

/** Metadata a client may set, of a new object or of a pod template. */
export interface DraftMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** Metadata of a stored object, with the identity and history that the server adds. */
export interface ObjectMeta extends DraftMeta {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly creationTimestamp: string;
  readonly generation?: number;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly selfLink?: string;
}

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
}

/** An object as a client sends it; the server completes it. */
export type Draft<T extends ApiObject> = Omit<T, "apiVersion" | "metadata"> & {
  readonly apiVersion?: string;
  readonly metadata: DraftMeta;
};

/** The revision at which this version of the object was written. */
export const revisionOf = (o: { readonly metadata: { readonly resourceVersion: string } }): Revision =>
  revision(Number(o.metadata.resourceVersion));

/** The reference to the managing controller, if there is one. */
export const controllerOf = (o: { readonly metadata: DraftMeta }): OwnerReference | undefined =>
  o.metadata.ownerReferences?.find((r) => r.controller === true);

/** The reference to `owner` as the controller of a child, which blocks the owner's foreground deletion. */
export const ownedBy = (owner: ApiObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});
