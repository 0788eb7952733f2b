// The form and the encoding of objects by the Accept header; and stored entries in that form.
// Plain objects and lists leave as the bytes they are stored as.
import { ApiError } from "../../api/errors.ts";
import { type ResourceDefinition, apiVersionOf } from "../../api/kinds.ts";
import { type ApiObject, type Instant, instantOf } from "../../api/meta.ts";
import { objectOf, wireBytes, wireHead, wireTail } from "../registry/codec.ts";
import { type StoredPage, objectsOf } from "../registry/listing.ts";
import type { Stored } from "../storage/storage.ts";
import { type Call, type ApiRequest, type WholeReply, reply, replyBytes } from "../request/request-response.ts";
import { type IncludeObject, metadataOf, tableOf } from "./table.ts";

/** The forms an object or a list can be served in. */
export type Form = "Plain" | "Table" | "Metadata";

/** What a client gets of what it would accept. */
export interface Accepted {
  readonly form: Form;
  /** Of the form: tables and metadata have been called by two versions, and are the same in both. */
  readonly version: "v1" | "v1beta1";
  /** `PartialObjectMetadataList` was requested, rather than `PartialObjectMetadata`. */
  readonly isList: boolean;
  readonly writing: "json" | "yaml";
  readonly pretty: boolean;
}

const forms: Readonly<Record<string, Form>> = {
  Table: "Table",
  PartialObjectMetadata: "Metadata",
  PartialObjectMetadataList: "Metadata",
};

/** One alternative of an Accept header, with its parameters. */
interface Alternative {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The quality value, from 0 to 1; 1 unless it is a number. */
const quality = ({ parameters: { q = "1" } }: Alternative): number => Number(q) || (Number(q) === 0 ? 0 : 1);
/** The more a type leaves open, the later it is tried. */
const openness = ({ type }: Alternative): number => type.split("/").filter((part) => part === "*").length;

const parsed = (accept: string): readonly Alternative[] =>
  accept
    .split(",")
    .map((part): Alternative => {
      const [type = "", ...parameters] = part.split(";").map((p) => p.trim());
      return {
        type: type.toLowerCase(),
        parameters: Object.fromEntries(parameters.map((p) => p.split("=", 2) as [string, string])),
      };
    })
    .toSorted((a, b) => quality(b) - quality(a) || openness(a) - openness(b));

// Cached by header: every request has one, and clients use few distinct ones.
const known = new Map<string, readonly Alternative[]>();
const mostKnown = 100;

/** The alternatives of an Accept header, by descending quality. */
export function alternatives(accept: string | undefined): readonly Alternative[] {
  const header = accept || "*/*";
  let found = known.get(header);
  if (!found) {
    found = parsed(header);
    if (known.size >= mostKnown) known.clear();
    known.set(header, found);
  }
  return found;
}

const includes = (type: string, writing: string): boolean =>
  [`application/${writing}`, "application/*", "*/*"].includes(type);

/** The response form of this alternative, if it is supported. */
function offer(
  { parameters }: Alternative,
  served: readonly Form[],
  writing: Accepted["writing"],
): Accepted | undefined {
  const { as, g, v, stream, sv, pretty } = parameters;
  if (stream && (stream !== "watch" || writing === "yaml")) return undefined;
  if (sv && sv !== "v1") return undefined;
  const rest = { writing, pretty: pretty === "1" };
  if (as === undefined && g === undefined && v === undefined)
    return served.includes("Plain") ? { form: "Plain", version: "v1", isList: false, ...rest } : undefined;
  const form = forms[as ?? ""];
  if (!form || !served.includes(form) || g !== "meta.k8s.io" || (v !== "v1" && v !== "v1beta1")) return undefined;
  return { form, version: v, isList: as === "PartialObjectMetadataList", ...rest };
}

const everyForm: readonly Form[] = ["Plain", "Table", "Metadata"];

/** The supported alternative with the highest quality, if there is one. */
export function accepted(accept: string | undefined, served: readonly Form[] = everyForm): Accepted | undefined {
  for (const alternative of alternatives(accept))
    for (const writing of ["json", "yaml"] as const) {
      const found = includes(alternative.type, writing) ? offer(alternative, served, writing) : undefined;
      if (found) return found;
    }
  return undefined;
}

const notAcceptable = (types: string): ApiError =>
  new ApiError("NotAcceptable", `only the following media types are accepted: ${types}`);

/** The same; throws NotAcceptable when there is none. */
export function negotiated(accept: string | undefined, served?: readonly Form[]): Accepted {
  const found = accepted(accept, served);
  if (!found) throw notAcceptable("application/json, application/yaml");
  return found;
}

/** Of a watch: only JSON has a place for one event after the other. */
export function negotiatedStream(accept: string | undefined): Accepted {
  const found = negotiated(accept);
  if (found.writing !== "json") throw notAcceptable("application/json;stream=watch");
  return found;
}

/** The negotiated form of a response. */
export interface View extends Accepted {
  readonly include: IncludeObject;
  readonly now: Instant;
}

/** With the parameter `ageAt`, tables show the ages that objects had at that time. */
function ageTime({ query }: ApiRequest): Instant | undefined {
  const text = query.get("ageAt");
  const time = text === null ? undefined : instantOf(text);
  if (Number.isNaN(time)) throw new ApiError("BadRequest", `ageAt: ${JSON.stringify(text)} is not a time`);
  return time;
}

/** The view of a request; throws when none is supported. */
export function viewOf(request: ApiRequest, time: Instant, view: Accepted = negotiated(request.headers.accept)): View {
  const now = ageTime(request) ?? time;
  const include = request.query.get("includeObject") || "Metadata";
  if (include === "None" || include === "Object" || include === "Metadata") return { ...view, include, now };
  if (view.form !== "Table") return { ...view, include: "Metadata", now };
  throw new ApiError(
    "BadRequest",
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** One parsed object in the negotiated form. */
export function rendered(r: ResourceDefinition, object: ApiObject, view: View, headers = true): object {
  if (view.form === "Metadata") return metadataOf(object, view.version);
  if (view.form === "Plain") return object;
  return tableOf(r, [object], { resourceVersion: object.metadata.resourceVersion }, { ...view, headers });
}

/** The Go type name in Kubernetes: packages are named after the first label of the group. */
const typeOf = (r: ResourceDefinition, suffix = ""): string => `*${r.group.split(".")[0] || "core"}.${r.kind}${suffix}`;
const mismatch = (requested: string, found: string): ApiError =>
  new ApiError("NotAcceptable", `you requested ${requested}, but the requested object is ${found}`);

export function replyObject(r: ResourceDefinition, stored: Stored, view: View, status = 200): WholeReply {
  if (view.form === "Plain") return replyBytes(wireBytes(stored, lineEnd), status);
  if (view.isList) throw mismatch("PartialObjectMetadataList", `not a list (${typeOf(r)})`);
  return reply(rendered(r, objectOf(stored), view), status);
}

/** A stored object in the kind of the requested subresource's bodies. */
export function replyStored(
  { r, subresource }: Pick<Call, "r" | "subresource">,
  stored: Stored,
  view: View,
  status = 200,
): WholeReply {
  const { bodyKind, show } = subresource ?? {};
  if (!bodyKind || !show) return replyObject(r, stored, view, status);
  return reply(rendered(bodyKind, show(objectOf(stored)), view), status);
}

/** A list of objects in the negotiated form. */
export function renderedList(
  r: ResourceDefinition,
  objects: readonly ApiObject[],
  metadata: object,
  view: View,
): WholeReply {
  if (view.form === "Table") return reply(tableOf(r, objects, metadata, { ...view, headers: true }));
  if (view.form === "Plain")
    return reply({ kind: `${r.kind}List`, apiVersion: apiVersionOf(r), metadata, items: objects });
  if (!view.isList) throw mismatch("PartialObjectMetadata", `a list (${typeOf(r, "List")})`);
  const items = objects.map((object) => metadataOf(object, view.version));
  return reply({ kind: "PartialObjectMetadataList", apiVersion: `meta.k8s.io/${view.version}`, metadata, items });
}

export function replyList(r: ResourceDefinition, page: StoredPage, view: View): WholeReply {
  const metadata = {
    resourceVersion: String(page.revision),
    ...(page.next !== undefined && { continue: page.next }),
    ...(page.remaining !== undefined && { remainingItemCount: page.remaining }),
  };
  if (view.form !== "Plain") return renderedList(r, objectsOf(page), metadata, view);
  const head = { kind: `${r.kind}List`, apiVersion: apiVersionOf(r), metadata };
  const parts: Buffer[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"items":[`)];
  page.entries.forEach((stored, i) => {
    // Every byte is copied once.
    parts.push(Buffer.from((i > 0 ? "," : "") + wireHead(stored.modified)), wireTail(stored));
  });
  parts.push(closing);
  return replyBytes(Buffer.concat(parts));
}
const lineEnd = "\n";
const closing = Buffer.from("]}\n");
