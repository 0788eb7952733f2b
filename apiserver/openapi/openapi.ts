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
import { readAnnotations } from "./schemas.ts";
import { chapters, documentV2, documentV3 } from "./documents.ts";
import { encodeDocument } from "./protobuf.ts";

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** A compressed document. */
interface Packed {
  readonly bytes: Buffer;
  /** Of the uncompressed document. */
  readonly hash: string;
}
const packed = async (bytes: Buffer): Promise<Packed> => ({
  bytes: await pack(bytes),
  hash: createHash("sha512").update(bytes).digest("hex").toUpperCase(),
});
const jsonOf = (document: object): Buffer => Buffer.from(JSON.stringify(document));

const json = "application/json";
const protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
/** The media types of each version, as clients write them, and as the response is labelled. */
const mediaTypes: Readonly<Record<"v2" | "v3", Readonly<Record<string, string>>>> = {
  v2: { [json]: json, [protobuf.replace("v2.v1", "v2@v1")]: protobuf, [protobuf]: protobuf },
  v3: { [json]: json },
};

/** The first media type in the Accept header that is served. */
function negotiatedType({ headers }: ApiRequest, version: "v2" | "v3"): string {
  const served = mediaTypes[version];
  for (const { type } of alternatives(headers.accept)) {
    if (type === "*/*" || type === "application/*") return json;
    if (served[type] !== undefined) return served[type];
  }
  const all = Object.keys(served).join(", ");
  throw new ApiError("NotAcceptable", `only the following media types are accepted: ${all}`);
}

/** The document, compressed where the client accepts that; 304 when the client has it. */
async function replyPacked(
  { bytes, hash }: Packed,
  type: string,
  { headers }: ApiRequest,
  more: Readonly<Record<string, string>> = {},
): Promise<ApiReply> {
  const etag = `"${hash}"`;
  const caching = { ...more, etag, vary: "Accept, Accept-Encoding" };
  if (headers["if-none-match"] === etag) return { status: 304, body: "", headers: caching };
  const plain = { ...caching, "content-type": type };
  if (!/\bgzip\b/.test(String(headers["accept-encoding"] ?? "")))
    return { status: 200, body: await unpack(bytes), headers: plain };
  return { status: 200, body: bytes, headers: { ...plain, "content-encoding": "gzip" } };
}

const year = 365 * 24 * 3600 * 1000;

/** Remembers the result for each key; concurrent callers share one. A failure is not remembered. */
function memoized<T>(make: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const made = new Map<string, Promise<T>>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    known.catch(() => made.delete(key));
    return known;
  };
}

/** The documents of a set of kinds, built on first request. */
interface Documents {
  /** Of version 3, by their places. */
  v3(): Promise<ReadonlyMap<string, Packed>>;
  /** Of version 2, by its media type. */
  v2(type: string): Promise<Packed>;
}

function documentsOf(all: readonly ResourceDefinition[]): Documents {
  // The resources of metrics come and go; discovery alone lists them.
  const kinds = all.filter((r) => r.virtual !== "metric");
  // The index has the hash of each document, so all are built for it, one after the other, with awaits between.
  const v3 = memoized(async () => {
    const annotations = await readAnnotations();
    const all = new Map<string, Packed>();
    for (const chapter of chapters(servedGroups(kinds)))
      all.set(chapter.place, await packed(jsonOf(documentV3(chapter, kinds, annotations))));
    return all;
  });
  const v2 = memoized(async (type) => {
    const document = documentV2(chapters(servedGroups(kinds)), kinds, await readAnnotations());
    return packed(type === json ? jsonOf(document) : encodeDocument(document));
  });
  return { v3: () => v3(""), v2 };
}

// Keyed by the set of kinds: servers of one process that serve the same kinds share their documents.
const known = new WeakMap<readonly ResourceDefinition[], Documents>();
function sharedDocuments(kinds: readonly ResourceDefinition[]): Documents {
  const found = known.get(kinds) ?? documentsOf(kinds);
  known.set(kinds, found);
  return found;
}

/** Serves the documents; undefined for any other path. They are rebuilt lazily when the kinds change. */
export function openApi(
  kinds: Pick<KindRegistry, "all">,
  now: () => number,
): (request: ApiRequest) => Promise<ApiReply> | undefined {
  const documents = derivedFrom(kinds, sharedDocuments);
  const address = (place: string, hash: string): string => `/openapi/v3/${place}?hash=${hash}`;
  const index = async (): Promise<ApiReply> => {
    const all = [...(await documents().v3())];
    const paths = all.map(([place, { hash }]) => [place, { serverRelativeURL: address(place, hash) }]);
    return reply({ paths: Object.fromEntries(paths) });
  };
  const document = async (place: string, request: ApiRequest): Promise<ApiReply> => {
    const found = (await documents().v3()).get(place);
    if (!found) throw nowhere();
    const type = negotiatedType(request, "v3");
    const hash = request.query.get("hash");
    if (hash === null) return replyPacked(found, type, request);
    if (hash !== found.hash) return { status: 301, body: "", headers: { location: address(place, found.hash) } };
    const expires = new Date(now() + year).toUTCString();
    return replyPacked(found, type, request, { "cache-control": "public, immutable", expires });
  };
  const v2 = async (request: ApiRequest): Promise<ApiReply> => {
    const type = negotiatedType(request, "v2");
    return replyPacked(await documents().v2(type), type, request);
  };
  return (request) => {
    const path = request.path.replace(/\/$/, "");
    if (path === "/openapi/v3") return index();
    if (path.startsWith("/openapi/v3/")) return document(path.slice("/openapi/v3/".length), request);
    return path === "/openapi/v2" ? v2(request) : undefined;
  };
}
