// The endpoints of OpenAPI: the index and the documents of version 3, and version 2. Each is built on first request and
// kept compressed.
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { ApiError } from "../../api/errors.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type KindRegistry, derivedFrom } from "../../machinery/kind-registry.ts";
import { nowhere } from "../registry/refusals.ts";
import { alternatives } from "../response/render.ts";
import { servedGroups } from "../discovery/order.ts";
import { type ApiReply, type ApiRequest, reply } from "../request/request-response.ts";
import { type Annotations, readAnnotations } from "./schemas.ts";
import { type Chapter, chapters, documentV2, documentV3 } from "./documents.ts";
import { encodeDocument } from "./protobuf.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** A document at rest. */
interface Packed {
  readonly bytes: Buffer;
  /** Changes with what the document says. */
  readonly hash: string;
}
async function packed(bytes: Buffer): Promise<Packed> {
  return { bytes: await pack(bytes), hash: createHash("sha512").update(bytes).digest("hex").toUpperCase() };
}

/** The forms a document comes in, by what clients call them; the answer has a name of its own. */
const forms: Readonly<Record<"v2" | "v3", Readonly<Record<string, string>>>> = {
  v2: {
    "application/json": "application/json",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf":
      "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf":
      "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
  },
  v3: { "application/json": "application/json" },
};

/** The first form a client names that there is. */
function formOf(accept: string | undefined, offered: Readonly<Record<string, string>>): string {
  for (const { type } of alternatives(accept)) {
    if (type === "*/*" || type === "application/*") return "application/json";
    const form = offered[type];
    if (form !== undefined) return form;
  }
  const all = Object.keys(offered).join(", ");
  throw new ApiError("NotAcceptable", `only the following media types are accepted: ${all}`);
}

/** As it is kept where the client can unpack it, with word of what it may keep itself. */
async function served(
  { bytes, hash }: Packed,
  type: string,
  { headers }: ApiRequest,
  more: Readonly<Record<string, string>> = {},
): Promise<ApiReply> {
  const etag = `"${hash}"`;
  const common = { ...more, etag, vary: "Accept, Accept-Encoding" };
  if (headers["if-none-match"] === etag) return { status: 304, body: "", headers: common };
  const v2Document = { ...common, "content-type": type };
  if (!/\bgzip\b/.test(String(headers["accept-encoding"] ?? "")))
    return { status: 200, body: await unpack(bytes), headers: v2Document };
  return { status: 200, body: bytes, headers: { ...v2Document, "content-encoding": "gzip" } };
}

const year = 365 * 24 * 3600 * 1000;

/** Remembers what a maker makes under each key; who asks meanwhile waits for the same. */
function kept<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    known.catch(() => made.delete(key));
    return known;
  };
}

/** Everything there is to hand out, made when asked for. */
interface Library {
  /** The documents of version 3, by their place. */
  chapters(): Promise<ReadonlyMap<string, Packed>>;
  /** The document of version 2, by its type. */
  v2Document(type: string): Promise<Packed>;
}

function libraryOf(kinds: readonly ResourceDefinition[]): Library {
  const parts = (): readonly Chapter[] => chapters(servedGroups(kinds));
  const written = (chapter: Chapter, annotations: Annotations): Promise<Packed> =>
    packed(Buffer.from(JSON.stringify(documentV3(chapter, kinds, annotations))));
  // The index has the hash of each, so all are made for it; they are made one after the other, and others have their
  // turn between.
  const volume = kept(async (): Promise<ReadonlyMap<string, Packed>> => {
    const annotations = await readAnnotations();
    const all = new Map<string, Packed>();
    for (const chapter of parts()) all.set(chapter.place, await written(chapter, annotations));
    return all;
  });
  const v2Document = kept(async (type): Promise<Packed> => {
    const document = documentV2(parts(), kinds, await readAnnotations());
    return packed(type === "application/json" ? Buffer.from(JSON.stringify(document)) : encodeDocument(document));
  });
  return { chapters: () => volume("v3"), v2Document };
}

// Keyed by the set of kinds: servers of one process that serve the same kinds share their documents.
const libraries = new WeakMap<readonly ResourceDefinition[], Library>();
function sharedLibrary(kinds: readonly ResourceDefinition[]): Library {
  const known = libraries.get(kinds) ?? libraryOf(kinds);
  libraries.set(kinds, known);
  return known;
}

/** Serves the documents; undefined when the path is none of theirs. They are rebuilt lazily when the kinds change. */
export function openApi(
  kinds: Pick<KindRegistry, "all">,
  now: () => number,
): (request: ApiRequest) => Promise<ApiReply> | undefined {
  const library = derivedFrom(kinds, sharedLibrary);
  const index = async (): Promise<ApiReply> => {
    const all = [...(await library().chapters())];
    const address = (place: string, hash: string): string => `/openapi/v3/${place}?hash=${hash}`;
    const paths = all.map(([at, { hash }]) => [at, { serverRelativeURL: address(at, hash) }]);
    return reply({ paths: Object.fromEntries(paths) });
  };
  const chapter = async (place: string, request: ApiRequest): Promise<ApiReply> => {
    const found = (await library().chapters()).get(place);
    if (!found) throw nowhere();
    const type = formOf(request.headers.accept, forms.v3);
    const requestedHash = request.query.get("hash");
    if (requestedHash === null) return served(found, type, request);
    if (requestedHash !== found.hash)
      return { status: 301, body: "", headers: { location: `/openapi/v3/${place}?hash=${found.hash}` } };
    const expires = new Date(now() + year).toUTCString();
    return served(found, type, request, { "cache-control": "public, immutable", expires });
  };
  const v2Document = async (request: ApiRequest): Promise<ApiReply> => {
    const type = formOf(request.headers.accept, forms.v2);
    return served(await library().v2Document(type), type, request);
  };
  return (request) => {
    const path = request.path.replace(/\/$/, "");
    if (path === "/openapi/v3") return index();
    if (path.startsWith("/openapi/v3/")) return chapter(path.slice("/openapi/v3/".length), request);
    return path === "/openapi/v2" ? v2Document(request) : undefined;
  };
}
