// The registry: create, change, delete, list and watch over the log, for every kind. A write reads, decides what shall
// stand (pure), and commits against what was read; when another writer was faster it reads again. What differs between
// kinds is in their definitions and strategies; the admission chain is handed in.
import { ApiError } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiObject, type Draft, type Key, keyOf, revision, splitKey } from "../../api/meta.ts";
import { withDefaults } from "../../api/defaulting.ts";
import type { DeleteOptions } from "../../machinery/client.ts";
import type { World } from "../../machinery/world.ts";
import type { Storage, Stored } from "../storage/storage.ts";
import type { Change, Deleted, Registry, Target, WriteOptions } from "./verbs.ts";
import type { Authorizer, User } from "../authorization/authorizer.ts";
import { type Admission, type AdmissionPlugin, type WriteAttributes, admissionChain } from "./admission.ts";
import { decoded, encode, isWritten, objectOf, prefixOf, remember } from "./codec.ts";
import { decideDeletion, isReleased } from "./deletion.ts";
import { type AnyObject, generatedName, newUid, prepareCreate, validateCreate } from "./prepare.ts";
import { initialOwnership, ownedAfter } from "./fields/ownership.ts";
import {
  accessDenied,
  alreadyExists,
  conflict,
  forbidden,
  invalid,
  noNameLeft,
  notFound,
  otherUid,
  unversioned,
} from "./refusals.ts";
import type { Strategy } from "./strategies/strategy.ts";
import { strategyOf } from "./strategies/table.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import { throughConversion } from "./conversion.ts";
import { listStored, watchStored } from "./listing.ts";
import { watchIndexes } from "./watch-index.ts";

/** What every verb works on. */
export interface Cluster {
  readonly storage: Storage;
  readonly world: World;
  readonly authorizer: Authorizer;
  readonly admit: ReturnType<typeof admissionChain>;
}
const none = revision(0);
/** Attempts of a write against concurrent changes before it fails with Conflict. */
const attempts = 10;
/** Generated names that are tried before AlreadyExists. */
const generatedNames = 8;

/** Where an object is kept. */
export const pathOf = (r: ResourceDefinition, key: Key): string => prefixOf(r) + key;

/** The attributes of a write by its target. */
const attributesOf = (
  { world }: Cluster,
  { r, key, subresource }: Target,
  old: ApiObject,
  [operation, options]: readonly ["UPDATE" | "DELETE", WriteOptions],
): WriteAttributes => {
  const { namespace, name } = splitKey(key);
  return { r, operation, subresource, namespace, name, old, options, now: world.clock.now() };
};

/** Writes beyond the permission for the request itself are refused here. */
async function authorize(
  { authorizer }: Cluster,
  strategy: Strategy,
  by: WriteAttributes,
  next: ApiObject,
): Promise<void> {
  const decision = await strategy.authorize?.(by, next, authorizer);
  if (decision && !decision.allowed) throw forbidden(by.r, by.name, decision.reason ?? "not authorized");
}

/** The right to create an object that an update or an apply does not find. */
async function authorizeCreate(
  { authorizer }: Cluster,
  { group, version, plural }: ResourceDefinition,
  { name, namespace }: Draft<ApiObject>["metadata"],
  user: User,
): Promise<void> {
  const at = { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) };
  const attributes = { user, verb: "create", group, version, resource: plural, ...at };
  const { allowed, reason } = await authorizer.decide(attributes);
  if (!allowed) throw accessDenied(attributes, reason);
}

/** What is sent, read by the schema and with its required fields; for a status, only the status and the metadata. */
function completed(
  { readsStatusOnly }: Strategy,
  sent: ApiObject,
  { r, old, options: { read: known = old } }: WriteAttributes,
): ApiObject {
  const { metadata, status } = sent as AnyObject;
  const read = readsStatusOnly ? ({ metadata, status } as object as ApiObject) : sent;
  return withDefaults(r.schema, decoded(r, read, known), old);
}

/** The object in the version of a request. */
const inVersionOf = ({ form }: ResourceDefinition, object: ApiObject): ApiObject =>
  form ? form.fromStored(object) : object;

/** Determines the managed fields of a stored object in the version of a request. */
function ownedInVersion(
  r: ResourceDefinition,
  stored: ApiObject,
  own: (shown: (object: ApiObject) => ApiObject) => ApiObject,
): ApiObject {
  const owned = own((object) => inVersionOf(r, object));
  if (!r.form) return owned;
  const { managedFields: _, ...metadata } = stored.metadata;
  const { managedFields } = owned.metadata;
  return { ...stored, metadata: { ...metadata, ...(managedFields && { managedFields }) } };
}

/** The stored object. Throws NotFound. */
export async function read({ storage }: Cluster, r: ResourceDefinition, key: Key): Promise<Stored> {
  const stored = await storage.get(pathOf(r, key));
  if (!stored) throw notFound(r, splitKey(key).name);
  return stored;
}

async function createAs(
  cluster: Cluster,
  r: ResourceDefinition,
  sent: Draft<ApiObject>,
  name: string,
  options: WriteOptions,
): Promise<Stored | undefined> {
  const { storage, world } = cluster;
  const now = world.clock.now();
  const { version = r } = options;
  const strategy = strategyOf(r);
  const { namespace } = sent.metadata;
  const by: WriteAttributes = { r, operation: "CREATE", namespace, name, old: undefined, options, now };
  const draft = strategy.prepareForCreate(sent, by);
  const made = prepareCreate(r, draft, { name: name || undefined, uid: newUid(world.random), now });
  const owned = ownedInVersion(version, made, (shown) =>
    initialOwnership(version, shown(made), shown(draft as ApiObject) as Draft<ApiObject>, { ...options, now }),
  );
  if (strategy.authorize) await authorize(cluster, strategy, by, owned);
  const admission = cluster.admit(by);
  const object = await admission.mutate(owned);
  options.trace?.("admitted");
  const problems = validateCreate(version, inVersionOf(version, object));
  if (problems.length > 0) throw invalid(version, name, problems);
  await admission.validate(object);
  options.trace?.("validated");
  if (options.warn) for (const sentence of strategy.warnings(object, undefined, by)) options.warn(sentence);
  const key = pathOf(r, keyOf(object));
  const value = encode(object);
  remember(value, object);
  const write = options.dryRun ? undefined : { key, expect: none, value };
  const commit = await admission.commit({ before: undefined, after: object }, write);
  // What a dry run shows is as if it were stored, but at no revision of its own.
  if (!commit) return (await storage.get(key)) ? undefined : { key, value, created: none, modified: none };
  options.trace?.("committed");
  if (!commit.ok && commit.key !== key) throw new Overtaken();
  return commit.ok ? { key, value, created: commit.revision, modified: commit.revision } : undefined;
}

/** Another write came between: of an object that is written together with a new one. */
class Overtaken extends Error {}

/** Retries the create until no other write conflicts. */
async function createSerially(...[cluster, r, sent, name, options]: Parameters<typeof createAs>) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await createAs(cluster, r, sent, name, options);
    } catch (e) {
      if (!(e instanceof Overtaken)) throw e;
      if (attempt === attempts) throw conflict(r, name);
    }
  }
}

/** Creates an object under its name, or under a generated one. */
export async function create(
  cluster: Cluster,
  r: ResourceDefinition,
  sent: Draft<ApiObject>,
  options: WriteOptions = {},
): Promise<Stored> {
  const draft = options.version ? sent : decoded(r, sent, options.read);
  options.trace?.("decoded");
  if (options.authorizesCreate && options.user) await authorizeCreate(cluster, r, draft.metadata, options.user);
  const { name, generateName = "", resourceVersion } = (draft.metadata ?? {}) as Partial<ApiObject["metadata"]>;
  if (resourceVersion) throw new ApiError("BadRequest", "resourceVersion should not be set on objects to be created");
  const generated = !name && generateName !== "";
  // Only a generated name is retried: another name is another object.
  let made = name ?? "";
  for (let attempt = 0; attempt < (generated ? generatedNames : 1); attempt++) {
    if (generated) made = generatedName(generateName, cluster.world.random);
    const stored = await createSerially(cluster, r, draft, made, options);
    if (stored) return stored;
  }
  throw generated ? noNameLeft(r, made) : alreadyExists(r, made);
}

/** Commits `next` over `current`, unless they are equal; removes an object that waits for nothing more. */
async function replace(
  { admission, storage }: { readonly admission: Admission; readonly storage: Storage },
  { r, old, options: { dryRun } }: WriteAttributes,
  current: Stored,
  next: ApiObject,
): Promise<Stored | undefined> {
  const value = encode(next);
  if (isWritten(value, next, current) && !(storage.isStale?.(current) && !dryRun)) return current;
  remember(value, next);
  const { key, created, modified } = current;
  const isGone = isReleased(r, next);
  const write = dryRun ? undefined : { key, expect: modified, value: isGone ? null : value };
  const commit = await admission.commit({ before: old, after: isGone ? undefined : next }, write);
  if (!commit) return { ...current, value };
  if (!commit.ok && commit.key === key && !commit.current) throw notFound(r, next.metadata.name);
  return commit.ok ? { key, value, created, modified: commit.revision } : undefined;
}

function checkIdentity(r: ResourceDefinition, sent: ApiObject, before: ApiObject): void {
  const { name, uid, resourceVersion } = sent.metadata;
  const { uid: isUid, resourceVersion: isVersion } = before.metadata;
  if (uid && uid !== isUid) throw otherUid(r, keyOf(before), uid, isUid);
  if (!resourceVersion || resourceVersion === "0") {
    if (!r.allowUnconditionalUpdate) throw unversioned(r, name);
  } else if (resourceVersion !== isVersion) throw conflict(r, name);
}

/** Changes the current object, with retries. A revision or a uid in the change is a precondition. */
export async function change(
  cluster: Cluster,
  target: Target,
  decide: Change,
  options: WriteOptions = {},
): Promise<Stored> {
  const { r, key, subresource } = target;
  const strategy = strategyOf(r, subresource);
  const { version = r } = options;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const current = await read(cluster, r, key);
    const before = objectOf(current);
    const by = attributesOf(cluster, target, before, ["UPDATE", options]);
    const decided = await decide(before);
    const sent = strategy.merge && !options.isMerged ? strategy.merge(before, decided, by) : decided;
    checkIdentity(r, sent, before);
    const complete = options.version ? sent : completed(strategy, sent, by);
    const changed = strategy.prepareForUpdate(complete, before, by);
    const occasion = { ...options, now: by.now, ...(subresource !== undefined && { subresource }) };
    const owned = strategy.tracksFields
      ? ownedInVersion(version, changed, (shown) => ownedAfter(version, shown(before), shown(changed), occasion))
      : changed;
    if (strategy.authorize) await authorize(cluster, strategy, by, owned);
    const admission = cluster.admit(by);
    options.trace?.("prepared");
    const next = await admission.mutate(owned);
    options.trace?.("admitted");
    const [shownNext, shownBefore] = [inVersionOf(version, next), inVersionOf(version, before)];
    const problems = strategy.validateUpdate(shownNext, shownBefore, { ...by, r: version });
    if (problems.length > 0) throw invalid(version, before.metadata.name, problems);
    await admission.validate(next);
    options.trace?.("validated");
    if (options.warn) for (const sentence of strategy.warnings(next, before, by)) options.warn(sentence);
    const stored = await replace({ admission, storage: cluster.storage }, by, current, next);
    options.trace?.("committed");
    if (stored) return stored;
  }
  throw conflict(r, splitKey(key).name);
}

/** Throws Conflict, whose message names the kind where others name the resource. */
function checkPreconditions(r: ResourceDefinition, { metadata }: ApiObject, options: DeleteOptions): void {
  for (const [field, name, change] of [
    ["uid", "UID", "deleted and then recreated"],
    ["resourceVersion", "ResourceVersion", "modified"],
  ] as const) {
    const [expected, actual] = [options[field], metadata[field]];
    if (expected === undefined || expected === actual) continue;
    const because = `the ${name} in the precondition (${expected}) does not match the ${name} in record (${actual})`;
    throw conflict({ ...r, plural: r.kind }, metadata.name, `${because}. The object might have been ${change}`);
  }
}

/** Deletes the object, or marks it while finalizers or its grace period hold it. */
export async function remove(
  cluster: Cluster,
  target: Target,
  options: DeleteOptions & WriteOptions,
): Promise<Deleted> {
  const { r, key } = target;
  for (let attempt = 0; attempt < attempts; attempt++) {
    const current = await read(cluster, r, key);
    const object = objectOf(current);
    checkPreconditions(r, object, options);
    const by = attributesOf(cluster, target, object, ["DELETE", options]);
    const admission = cluster.admit(by);
    await admission.validate(object);
    options.trace?.("admitted");
    const deletion = decideDeletion(r, object, options, by.now);
    if (deletion.do === "wait" || options.dryRun)
      return { stored: current, gone: deletion.do === "remove", revision: current.modified };
    if (deletion.do === "mark") {
      const stored = await replace({ admission, storage: cluster.storage }, by, current, deletion.object);
      if (stored) return { stored, gone: false, revision: stored.modified };
      continue;
    }
    const write = { key: current.key, expect: current.modified, value: null };
    const commit = await admission.commit({ before: object, after: undefined }, write);
    options.trace?.("committed");
    if (commit?.ok) return { stored: current, gone: true, revision: commit.revision };
    if (commit?.key === current.key && !commit.current) throw notFound(r, object.metadata.name);
  }
  throw conflict(r, splitKey(key).name);
}

/** What a registry is composed of, beside its storage. */
export interface RegistryOptions {
  readonly kinds: KindRegistry;
  readonly authorizer: Authorizer;
  readonly admission: readonly AdmissionPlugin[];
}

/** Verbs over a storage. */
export function registry(storage: Storage, world: World, { kinds, authorizer, admission }: RegistryOptions): Registry {
  const log = { storage, watchIndexes: watchIndexes(world, kinds) };
  const cluster: Cluster = { storage, world, authorizer, admit: admissionChain(admission, storage) };
  const verbs: Registry = {
    world,
    kinds,
    get: (r, key) => read(cluster, r, key),
    present: () => storage.present(),
    list: (r, options) => listStored(log, r, options),
    create: (r, draft, options) => create(cluster, r, draft, options),
    change: (target, decide, options) => change(cluster, target, decide, options),
    delete: (target, options = {}) => remove(cluster, target, options),
    async admit({ r, key }, { object, ...sent }) {
      const admission = cluster.admit({ r, ...sent, ...splitKey(key), old: undefined, now: world.clock.now() });
      await admission.validate(await admission.mutate(object));
    },
    watch: (r, options, signal) => watchStored(log, r, options, signal),
    revision(kind) {
      if (kind) log.watchIndexes.ask(kind.form?.of ?? kind);
      return storage.revision();
    },
  };
  const through = ({ form }: ResourceDefinition): typeof verbs => (form ? throughConversion(verbs, form) : verbs);
  return {
    ...verbs,
    get: (r, key) => through(r).get(r, key),
    list: (r, options) => through(r).list(r, options),
    create: (r, draft, options) => through(r).create(r, draft, options),
    change: (target, decide, options) => through(target.r).change(target, decide, options),
    delete: (target, options) => through(target.r).delete(target, options),
    watch: (r, options, signal) => through(r).watch(r, options, signal),
  };
}
