// Stored entries on their way out, in the form the client asked for. Plain objects and lists leave as the bytes they
// are.
import { ApiError } from "../../api/errors.ts";
import { apiVersionOf, type ResourceDefinition } from "../../api/kinds.ts";
import type { ApiObject, Instant } from "../../api/meta.ts";
import { objectOf, wireBytes, wireHead, wireTail } from "../registry/codec.ts";
import { objectsOf, type StoredPage } from "../registry/listing.ts";
import type { Stored } from "../storage/storage.ts";
import { type Accepted, negotiated } from "./accept.ts";
import type { Call } from "../request/call.ts";
import { type ApiRequest, reply, replyBytes, type WholeReply } from "../request/request-response.ts";
import { type IncludeObject, metadataOf, tableOf } from "./table.ts";

/** How this client wants what it asked for. */
export interface View extends Accepted {
  readonly include: IncludeObject;
  readonly now: Instant;
}

/** The view of a request; it is refused when there is none we can give. */
export function viewOf(request: ApiRequest, now: Instant, view: Accepted = negotiated(request.headers.accept)): View {
  const include = request.query.get("includeObject") || "Metadata";
  if (include === "None" || include === "Object" || include === "Metadata") return { ...view, include, now };
  if (view.form !== "Table") return { ...view, include: "Metadata", now };
  throw new ApiError(
    "BadRequest",
    `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(include)}: must be 'Metadata', 'Object', 'None', or empty`,
  );
}

/** One object, already parsed, in the form asked for. */
export function rendered(r: ResourceDefinition, object: ApiObject, view: View, headers = true): object {
  if (view.form === "Metadata") return metadataOf(object, view.version);
  if (view.form === "Plain") return object;
  return tableOf(r, [object], { resourceVersion: object.metadata.resourceVersion }, { ...view, headers });
}

/** The type as the original calls it: its kinds live in packages named after the first word of their group. */
const typeOf = (r: ResourceDefinition, suffix = ""): string => `*${r.group.split(".")[0] || "core"}.${r.kind}${suffix}`;
const mismatch = (asked: string, found: string): ApiError =>
  new ApiError("NotAcceptable", `you requested ${asked}, but the requested object is ${found}`);

export function replyObject(r: ResourceDefinition, stored: Stored, view: View, status = 200): WholeReply {
  if (view.form === "Plain") return replyBytes(wireBytes(stored, lineEnd), status);
  if (view.isList) throw mismatch("PartialObjectMetadataList", `not a list (${typeOf(r)})`);
  return reply(rendered(r, objectOf(stored), view), status);
}

/** A stored object in the kind that the subresource of the request speaks. */
export function replyStored(
  { r, subresource }: Pick<Call, "r" | "subresource">,
  stored: Stored,
  view: View,
  status = 200,
): WholeReply {
  const { speaks, show } = subresource ?? {};
  if (!speaks || !show) return replyObject(r, stored, view, status);
  return reply(rendered(speaks, show(objectOf(stored)), view), status);
}

/** Any list of objects, with what is said of the list itself. */
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
