// Lists and watches: a selection of the log's entries, page by page with continue tokens, and the changes after them.
import { ApiError } from "../../api/errors.ts";
import { type Revision, type ApiObject, revision } from "../../api/meta.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import type { ListOptions, WatchOptions } from "../../machinery/client.ts";
import { type Change, type Storage, type Stored, Compacted } from "../storage/storage.ts";
import { objectOf, prefixOf, selectableObjectOf } from "./codec.ts";
import type { WatchIndexes } from "./watch-index.ts";
import { notAhead } from "./refusals.ts";
import { type Matcher, matcherOf } from "./selection.ts";
import { storedMatcherOf } from "./stored-selection.ts";

/** The last key of the page before, and the revision all pages show; without one, the list continues at the current. */
export interface Continue {
  readonly after: string;
  readonly at?: Revision;
}

const tokenVersion = "meta.k8s.io/v1";
/** The revision in a token whose list continues at the current one: 0 is invalid. */
const currentRevision = -1;
/** The list continues at the first key that can follow the last one. */
const successor = "\0";

/** The token of a list under this prefix. */
export function tokenOf({ after, at }: Continue, prefix: string): string {
  const start = `${after.slice(prefix.length)}${successor}`;
  return Buffer.from(JSON.stringify({ v: tokenVersion, rv: at ?? currentRevision, start })).toString("base64url");
}

const badToken = (because: string): ApiError =>
  new ApiError("BadRequest", `invalid continue token: continue key is not valid${because}`);

function parsedToken(text: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  const strange = /[^-\w\r\n]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : undefined);
  if (strange !== undefined) throw badToken(`: illegal base64 data at input byte ${strange}`);
  const json = Buffer.from(text, "base64url").toString();
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Not a token of this server: badToken below.
  }
  throw badToken(
    json === "" ? ": unexpected end of JSON input" : `: invalid character '${json[0]}' looking for beginning of value`,
  );
}

/** The position in a token, for the list under this prefix. */
export function parseToken(text: string, prefix: string): Continue {
  const { v = "", rv = 0, start = "" } = parsedToken(text);
  if (v !== tokenVersion) throw badToken(`: server does not recognize this encoded version ${v}`);
  if (typeof rv !== "number" || rv === 0)
    throw badToken(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof start !== "string" || start === "") throw badToken(": encoded start key empty (version meta.k8s.io/v1)");
  // The key of a token stays within the prefix of its path.
  if (start.split("/").some((part, i) => part === "." || part === ".." || (part === "" && i > 0)))
    throw badToken(`: ${start}`);
  const after = prefix + (start.endsWith(successor) ? start.slice(0, -1) : start).replace(/^\//, "");
  return rv < 0 ? { after } : { after, at: revision(rv) };
}

/** A page of a list as stored bytes, which are served without parsing. */
export interface StoredPage {
  readonly entries: readonly Stored[];
  readonly revision: Revision;
  readonly next?: string;
  readonly remaining?: number;
}

/** A watch event, or progress. DELETED carries the last state of the object. */
export type StoredEvent =
  | { readonly type: "ADDED" | "MODIFIED" | "DELETED"; readonly stored: Stored; readonly revision: Revision }
  | { readonly type: "PROGRESS"; readonly revision: Revision };

/**
 * Fills a page of selected entries: reads until the limit or the end is reached.
 */
async function fill(
  storage: Storage,
  prefix: string,
  matches: ReturnType<typeof storedMatcherOf>,
  from: Partial<Continue>,
  limit: number,
): Promise<StoredPage> {
  const entries: Stored[] = [];
  let { at, after } = from;
  for (;;) {
    const part = await storage.list(prefix, {
      limit: Math.max(limit - entries.length, 100),
      ...(after !== undefined && { after }),
      ...(at !== undefined && { at }),
    });
    at = part.revision;
    for (const [i, stored] of part.entries.entries()) {
      after = stored.key;
      if (matches && !matches(stored)) continue;
      entries.push(stored);
      const left = part.entries.length - i - 1 + part.remaining;
      if (entries.length < limit) continue;
      if (left === 0) return { entries, revision: at };
      return { entries, revision: at, next: tokenOf({ at, after }, prefix), ...(!matches && { remaining: left }) };
    }
    if (part.remaining === 0) return { entries, revision: at };
  }
}

/** A list at a revision, or the current one, but no older than a revision. */
export interface StoredListOptions extends ListOptions {
  readonly at?: Revision;
  readonly atLeast?: Revision;
}

/** The log, and the indexes by which it is watched. */
export interface Watched {
  readonly storage: Storage;
  readonly watchIndexes: WatchIndexes;
}

/** Throws Expired for a compacted revision. The rest of a list can be continued at the current revision. */
function expired({ continue: token }: StoredListOptions, prefix: string, { oldest }: Compacted): ApiError {
  if (!token)
    return new ApiError(
      "Expired",
      `The resourceVersion for the provided list is too old. History reaches back to revision ${oldest}.`,
    );
  const { after } = parseToken(token, prefix);
  return new ApiError("Expired", staleToken, undefined, tokenOf({ after }, prefix));
}
const staleToken =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** The key of the only object that a selection can pick. */
function singleKey(r: ResourceDefinition, { fieldSelector, namespace }: StoredListOptions): string | undefined {
  const name = /^metadata\.name==?([^,=!]+)$/.exec(fieldSelector ?? "")?.[1];
  if (name === undefined || (r.scope === "Namespaced" && !namespace)) return undefined;
  return prefixOf(r, r.scope === "Namespaced" ? namespace : undefined) + name;
}

async function page(
  storage: Storage,
  r: ResourceDefinition,
  options: StoredListOptions,
  from: Partial<Continue>,
): Promise<StoredPage> {
  const matches = storedMatcherOf(r, options);
  const prefix = prefixOf(r, options.namespace);
  if (options.limit || options.continue)
    return fill(storage, prefix, matches, from, options.limit || Number.POSITIVE_INFINITY);
  const single = singleKey(r, options);
  if (single !== undefined && from.at !== undefined) {
    const stored = storage.history.get(single, from.at);
    return { entries: stored && matches!(stored) ? [stored] : [], revision: from.at };
  }
  const { entries, revision: at } = await storage.list(prefix, from);
  return { entries: matches ? entries.filter(matches) : entries, revision: at };
}

/** The entries a selection picks, all of one moment. */
export async function listStored(
  { storage, watchIndexes }: Watched,
  r: ResourceDefinition,
  options: StoredListOptions = {},
): Promise<StoredPage> {
  const prefix = prefixOf(r, options.namespace);
  const from = options.continue ? parseToken(options.continue, prefix) : options.at ? { at: options.at } : {};
  // How clients read the revision over HTTP.
  if (options.limit === 1) watchIndexes.ask(r);
  if (from.at !== undefined) notAhead(from.at, await storage.revision());
  try {
    const found = await page(storage, r, options, from);
    notAhead(options.atLeast, found.revision);
    return found;
  } catch (e) {
    if (e instanceof Compacted) throw expired(options, prefix, e);
    throw e;
  }
}

/** The event of a change for a selection: an object that begins or ceases to match is added or deleted. */
function eventOf({ now, before, revision: at }: Change, matches: Matcher): StoredEvent | undefined {
  const isIn = now !== undefined && (!matches || matches(selectableObjectOf(now)));
  const wasIn = before !== undefined && (!matches || matches(selectableObjectOf(before)));
  if (isIn) return { type: wasIn ? "MODIFIED" : "ADDED", stored: now, revision: at };
  return wasIn ? { type: "DELETED", stored: before, revision: at } : undefined;
}

/** The changes of a selection, in order and without gaps, with progress between them. */
export async function* watchStored(
  { storage, watchIndexes }: Watched,
  r: ResourceDefinition,
  options: WatchOptions,
  signal: AbortSignal,
): AsyncIterable<StoredEvent> {
  const matches = matcherOf(r, options);
  const { entry, leave } = watchIndexes.enter(r, options);
  try {
    for await (const batch of storage.watch(prefixOf(r, options.namespace), options.from, signal, entry)) {
      let lastSent = revision(0);
      for (const change of batch.changes) {
        const event = eventOf(change, matches);
        if (!event) continue;
        lastSent = event.revision;
        yield event;
      }
      if (lastSent < batch.revision) yield { type: "PROGRESS", revision: batch.revision };
    }
  } catch (e) {
    if (!(e instanceof Compacted)) throw e;
    throw new ApiError("Expired", `too old resource version: ${e.requested} (${e.oldest})`);
  } finally {
    leave();
  }
}

/** The parsed objects of a page. */
export const objectsOf = <T extends ApiObject>(page: StoredPage): readonly T[] =>
  page.entries.map((e) => objectOf<T>(e));
