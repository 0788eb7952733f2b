// Reads objects for a user: what the user may not read is hidden, and so are its name and its existence.
import { events } from "../../api/core/events.ts";
import { ifFound } from "../../api/errors.ts";
import type { KubeletExplanation } from "../../api/explanation/explanation.ts";
import type { SchedulingExplanation } from "../../api/explanation/scheduling.ts";
import type { CoreV1Event, Pod } from "../../api/generated/types.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Key, key, type OwnerReference, splitKey } from "../../api/meta.ts";
import type { Authorizer, User } from "../authorization/authorizer.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import { asDesired, type Finding } from "./finding.ts";
import type { Relations } from "./relations.ts";

/** An object, or why there is none: it does not exist, or the user may not read it. */
export type Read<T> = T | "missing" | "hidden";
export const isRead = <T extends object>(read: Read<T>): read is T => typeof read === "object";

/** At most so many objects of one relation are read. */
export const most = 20;

type Resource = Pick<ResourceDefinition, "group" | "version" | "plural">;
interface Related<T> {
  readonly items: readonly T[];
  readonly count: number;
}

export interface Reader {
  may(verb: "get" | "list", r: Resource, namespace?: string, name?: string): Promise<boolean>;
  get<T extends ApiObject>(r: ResourceDefinition<T>, namespace: string | undefined, name: string): Promise<Read<T>>;
  /** All objects of a kind in a namespace, or of a cluster-scoped kind: for kinds of which there are few. */
  list<T extends ApiObject>(r: ResourceDefinition<T>, namespace?: string): Promise<readonly T[] | "hidden">;
  /** Related objects that the user may read, at most {@link most}, and how many there are. */
  related<T extends ApiObject>(r: ResourceDefinition<T>, index: string, value: string): Promise<Related<T>>;
  /** The object that an owner reference names. */
  owner(child: ApiObject, reference: OwnerReference): Promise<Read<ApiObject>>;
  /** The last events about an object, the oldest first. */
  eventsOf(object: ApiObject): Promise<readonly CoreV1Event[]>;
  /** Why another object is as it is. */
  find(object: ApiObject): Promise<Finding>;
  /** What the scheduler decided about a pod: of one pod per explanation, since it evaluates every node. */
  scheduling(pod: Pod): Promise<SchedulingExplanation | undefined>;
  /** What the kubelet decided about a pod: of one pod per explanation, since it is a request to its node. */
  kubelet(pod: Pod): Promise<KubeletExplanation | undefined>;
}

/** Parts of an explanation that come from elsewhere, as far as the user may read them. */
export type RemoteParts = Pick<Reader, "scheduling" | "kubelet">;
export interface ReaderPorts {
  readonly registry: Registry;
  readonly relations: Relations;
  readonly authorizer: Pick<Authorizer, "decide">;
}
/** Finds why an object is as it is, with a reader for its surroundings. */
export type Find = (object: ApiObject, reader: Reader) => Promise<Finding>;

/** When an event happened last. */
export const lastOf = (e: CoreV1Event): string =>
  e.series?.lastObservedTime ?? e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp;

/** How deep causes of causes are followed: from a deployment to the class of a claim of a pod there are four steps. */
const deepest = 6;

/** The first pod it is called with gets the part; others get none. */
function ofOnePod<T>(read: (pod: Pod) => Promise<T | undefined>): (pod: Pod) => Promise<T | undefined> {
  let known: { readonly uid: string; readonly part: Promise<T | undefined> } | undefined;
  return async (pod) => {
    known ??= { uid: pod.metadata.uid, part: read(pod) };
    return known.uid === pod.metadata.uid ? known.part : undefined;
  };
}

/** Whether a user may do something; each question is decided once. */
function permissionsOf(user: User, authorizer: ReaderPorts["authorizer"]): Reader["may"] {
  const decided = new Map<string, Promise<boolean>>();
  return (verb, { group, version, plural: resource }, namespace, name) => {
    const id = JSON.stringify([verb, group, resource, namespace, name]);
    const known = decided.get(id);
    if (known) return known;
    const place = { ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }) };
    const decision = Promise.resolve(authorizer.decide({ user, verb, group, version, resource, ...place }));
    const allowed = decision.then((d) => d.allowed);
    decided.set(id, allowed);
    return allowed;
  };
}

/** Reads as this user. */
export function readerFor(user: User, ports: ReaderPorts, remote: RemoteParts, find: Find): Reader {
  const { registry, relations, authorizer } = ports;
  const may = permissionsOf(user, authorizer);
  const mayRead = async (r: Resource, k: Key): Promise<boolean> => {
    const { namespace, name } = splitKey(k);
    return (await may("list", r, namespace)) || may("get", r, namespace, name);
  };
  const read = async <T extends ApiObject>(r: ResourceDefinition<T>, k: Key): Promise<T | undefined> => {
    const stored = await ifFound(registry.get(r as unknown as ResourceDefinition, k));
    return stored && objectOf<T>(stored);
  };
  /** At most {@link most} of the keys that may be read. */
  const visible = async (r: Resource, keys: readonly Key[]): Promise<readonly Key[]> => {
    const found: Key[] = [];
    for (const k of keys) {
      if (found.length === most) break;
      if (await mayRead(r, k)) found.push(k);
    }
    return found;
  };
  const get: Reader["get"] = async (r, namespace, name) =>
    (await may("get", r, namespace, name)) ? ((await read(r, key(namespace, name))) ?? "missing") : "hidden";
  const readAll = async <T extends ApiObject>(r: ResourceDefinition<T>, keys: readonly Key[]): Promise<readonly T[]> =>
    (await Promise.all(keys.map((k) => read(r, k)))).filter((o) => o !== undefined);
  const found = new Map<string, Promise<Finding>>();
  const shared = { scheduling: ofOnePod(remote.scheduling), kubelet: ofOnePod(remote.kubelet) };
  const at = (depth: number): Reader => ({
    ...shared,
    may,
    get,
    async list<T extends ApiObject>(r: ResourceDefinition<T>, namespace?: string) {
      if (!(await may("list", r, namespace))) return "hidden";
      const page = await registry.list(
        r as unknown as ResourceDefinition,
        namespace === undefined ? {} : { namespace },
      );
      return page.entries.map((stored) => objectOf<T>(stored));
    },
    async related<T extends ApiObject>(r: ResourceDefinition<T>, index: string, value: string) {
      const keys = relations.keys(r, index, value);
      const readable = await visible(r, keys);
      return { items: await readAll(r, readable), count: readable.length < most ? readable.length : keys.length };
    },
    async owner(child, { apiVersion, kind, name, uid }) {
      const r = registry.kinds.ofKind(apiVersion, kind);
      if (!r) return "missing";
      const owner = await get(r, r.scope === "Namespaced" ? child.metadata.namespace : undefined, name);
      return isRead(owner) && owner.metadata.uid !== uid ? "missing" : owner;
    },
    async eventsOf({ metadata }) {
      const keys = relations.keys(events, "about", metadata.uid);
      const all = await readAll(events, await visible(events, keys.slice(-most)));
      return all.toSorted((a, b) => (lastOf(a) < lastOf(b) ? -1 : 1));
    },
    find(object) {
      const { uid } = object.metadata;
      const finding =
        found.get(uid) ?? (depth < deepest ? find(object, at(depth + 1)) : Promise.resolve(asDesired("")));
      found.set(uid, finding);
      return finding;
    },
  });
  return at(0);
}
