// Kinds that are stored as another version: the same verbs, with objects and field selectors converted both ways.
import { type ResourceDefinition, type VersionConversion, apiVersionOf } from "../../api/kinds.ts";
import type { ApiObject, Draft, Instant } from "../../api/meta.ts";
import type { Selection, WatchOptions } from "../../machinery/client.ts";
import type { Stored } from "../storage/storage.ts";
import { decoded, encode, objectOf, remember } from "./codec.ts";
import { type StoredEvent, whileServed } from "./listing.ts";
import { type Occasion, initialOwnership, ownedAfter } from "./fields/ownership.ts";
import { invalid } from "./refusals.ts";
import type { Change, Registry, Target, WriteOptions } from "./verbs.ts";

interface Converted {
  readonly r: ResourceDefinition;
  readonly form: VersionConversion;
}

// Keyed by the stored bytes, then by the version: an event is converted once for all watches.
const convertedBytes = new WeakMap<Uint8Array, Map<string, Uint8Array>>();

/** The entry as a reader of this form sees it: other bytes, the same place in history. */
function inVersion(r: ResourceDefinition, form: VersionConversion, stored: Stored): Stored {
  const known = convertedBytes.get(stored.value) ?? new Map<string, Uint8Array>();
  convertedBytes.set(stored.value, known);
  let value = known.get(apiVersionOf(r));
  if (!value) {
    const object = form.fromStored(objectOf(stored));
    value = encode(object);
    remember(value, object);
    known.set(apiVersionOf(r), value);
  }
  return { ...stored, value };
}

/** A field selector in the field names of the stored version. */
export function fieldsOfStored({ fields = {} }: VersionConversion, fieldSelector: string): string {
  return fieldSelector
    .split(",")
    .map((term) => {
      const name = /^\s*([^=!\s]+)/.exec(term)?.[1] ?? "";
      return fields[name] === undefined ? term : term.replace(name, fields[name]);
    })
    .join(",");
}
const selectionOf = <S extends Selection>(form: VersionConversion, selection: S): S =>
  selection.fieldSelector === undefined
    ? selection
    : { ...selection, fieldSelector: fieldsOfStored(form, selection.fieldSelector) };

/** The object, defaulted and validated in its own version. */
function validated(
  r: ResourceDefinition,
  sent: Draft<ApiObject>,
  { read, old }: { readonly read?: object | undefined; readonly old?: ApiObject },
): Draft<ApiObject> {
  const full = r.defaults(decoded(r, sent, read));
  const problems = r.validate(full, old);
  if (problems.length > 0) throw invalid(r, full.metadata.name ?? "", problems);
  return full;
}

/** The draft in the stored version; its managed fields are in the version it was written in. */
function convertedDraft(
  { r, form }: Converted,
  draft: Draft<ApiObject>,
  options: WriteOptions & { readonly now: Instant },
): Draft<ApiObject> {
  const full = validated(r, draft, options) as ApiObject;
  return form.toStored(initialOwnership(r, full, draft, options) as Draft<ApiObject>, undefined);
}

function changeConverted(
  { r, form }: Converted,
  target: Target,
  decide: Change,
  options: WriteOptions & Occasion,
): [Target, Change] {
  const change: Change = async (current) => {
    const before = form.fromStored(current);
    const full = validated(r, (await decide(before)) as Draft<ApiObject>, { read: options.read, old: before });
    return form.toStored(ownedAfter(r, before, full as ApiObject, options), current) as ApiObject;
  };
  return [{ ...target, r: form.of }, change];
}

async function* watchConverted(
  registry: Registry,
  [r, form]: readonly [ResourceDefinition, VersionConversion],
  options: WatchOptions,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent> {
  const served = whileServed(registry.kinds, r, signal);
  try {
    for await (const event of registry.watch(form.of, selectionOf(form, options), served.signal))
      yield event.type === "PROGRESS" ? event : { ...event, stored: inVersion(r, form, event.stored) };
  } finally {
    served.release();
  }
}

/**
 * The options for the stored version: it is not decoded or validated again, and managed fields are set already.
 */
const convertedOptions = (options: WriteOptions): WriteOptions => ({
  ...options,
  ownership: "given",
  isConverted: true,
});

/** The verbs on a kind that is stored as another version. */
export const throughConversion = (registry: Registry, form: VersionConversion): Registry => ({
  ...registry,
  get: async (r, key) => inVersion(r, form, await registry.get(form.of, key)),
  async list(r, options = {}) {
    const page = await registry.list(form.of, selectionOf(form, options));
    return { ...page, entries: page.entries.map((stored) => inVersion(r, form, stored)) };
  },
  async create(r, draft, options = {}) {
    const made = convertedDraft({ r, form }, draft, { ...options, now: registry.world.clock.now() });
    return inVersion(r, form, await registry.create(form.of, made, convertedOptions(options)));
  },
  async change(target, decide, options = {}) {
    const { r, subresource } = target;
    const occasion = { ...options, now: registry.world.clock.now(), ...(subresource !== undefined && { subresource }) };
    const [inner, change] = changeConverted({ r, form }, target, decide, occasion);
    return inVersion(r, form, await registry.change(inner, change, convertedOptions(options)));
  },
  async delete(target, options) {
    const deleted = await registry.delete({ ...target, r: form.of }, options);
    return { ...deleted, stored: inVersion(target.r, form, deleted.stored) };
  },
  watch: (r, options, signal) => watchConverted(registry, [r, form], options, signal),
});
