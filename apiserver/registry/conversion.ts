// Kinds that are stored as another version: the same verbs, with objects and field selectors converted both ways.
import type { ResourceDefinition, VersionConversion } from "../../api/kinds.ts";
import type { ApiObject, Draft } from "../../api/meta.ts";
import { onAbort } from "../../machinery/abort.ts";
import type { Selection, WatchOptions } from "../../machinery/client.ts";
import type { KindRegistry } from "../../machinery/kind-registry.ts";
import type { Stored } from "../storage/storage.ts";
import { decoded, encode, objectOf, remember } from "./codec.ts";
import type { StoredEvent } from "./listing.ts";
import type { Change, Registry } from "./verbs.ts";

// Keyed by the stored bytes, then by the definition: an event is converted once for all watches.
const convertedBytes = new WeakMap<Uint8Array, WeakMap<ResourceDefinition, Uint8Array>>();

/** The entry in another version: other bytes, the same revisions. */
function inVersion(r: ResourceDefinition, form: VersionConversion, stored: Stored): Stored {
  const known = convertedBytes.get(stored.value) ?? new WeakMap<ResourceDefinition, Uint8Array>();
  convertedBytes.set(stored.value, known);
  let value = known.get(r);
  if (!value) {
    const before = objectOf(stored);
    const object = form.fromStored(before);
    value = object === before ? stored.value : encode(object);
    if (object !== before) remember(value, object);
    known.set(r, value);
  }
  return value === stored.value ? stored : { ...stored, value };
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

/** A signal that aborts with `signal`, or when the kind is no longer served as it is defined here. */
function whileServed(
  kinds: KindRegistry,
  r: ResourceDefinition,
  signal: AbortSignal,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const ended = new AbortController();
  const endIfRemoved = (): void => {
    if (kinds.of(r) !== r) ended.abort();
  };
  const removals = [onAbort(signal, () => ended.abort(signal.reason)), kinds.changed.listen(endIfRemoved)];
  endIfRemoved();
  return {
    signal: ended.signal,
    release() {
      for (const remove of removals) remove();
    },
  };
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

/** The verbs on a kind that is stored as another version. */
export const throughConversion = (registry: Registry, form: VersionConversion): Registry => ({
  ...registry,
  get: async (r, key) => inVersion(r, form, await registry.get(form.of, key)),
  async list(r, options = {}) {
    const page = await registry.list(form.of, selectionOf(form, options));
    return { ...page, entries: page.entries.map((stored) => inVersion(r, form, stored)) };
  },
  async create(r, draft, options = {}) {
    const made = form.toStored(decoded(r, draft, options.read), undefined);
    return inVersion(r, form, await registry.create(form.of, made, { ...options, version: r }));
  },
  async change(target, decide, options = {}) {
    const { r } = target;
    const converted: Change = async (current) => {
      const next = await decide(form.fromStored(current));
      return form.toStored(decoded(r, next, options.read) as Draft<ApiObject>, current) as ApiObject;
    };
    return inVersion(r, form, await registry.change({ ...target, r: form.of }, converted, { ...options, version: r }));
  },
  async delete(target, options) {
    const deleted = await registry.delete({ ...target, r: form.of }, options);
    return { ...deleted, stored: inVersion(target.r, form, deleted.stored) };
  },
  watch: (r, options, signal) => watchConverted(registry, [r, form], options, signal),
});
