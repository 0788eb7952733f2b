// The resource, the verb and the flags of a request, from its path and its query. Pure.
import { parseDuration } from "../../api/duration.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";
import { ApiError } from "../../api/errors.ts";
import { parseFieldSelector } from "../../api/field-selector.ts";
import { parseLabelSelector } from "../../api/label-selector.ts";
import type { RequestInfo } from "../authorization/authorizer.ts";

/** A resource path, taken apart. */
export interface ResourcePath {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** The path begins with the deprecated `watch`. */
  readonly watch?: true;
}

/** Subresources of a Namespace; any other segment there is a namespaced resource. */
const ofNamespaces = ["status", "finalize"];

/** The path without percent-encoding; undefined when that is malformed. */
function decodedPath(path: string): string | undefined {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
/** The segments of a path. A trailing slash is ignored; an empty segment is one. */
function segmentsOf(path: string): readonly string[] {
  const from = path.startsWith("/") ? 1 : 0;
  const to = path.length > from && path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(from, to).split("/");
}

/** Undefined when the path names no resource. */
export function resourcePath(path: string): ResourcePath | undefined {
  const decoded = decodedPath(path);
  if (decoded === undefined) return undefined;
  const [root, ...rest] = segmentsOf(decoded);
  if (root !== "api" && root !== "apis") return undefined;
  const [group, version, ...below] = root === "api" ? ["", ...rest] : rest;
  if (group === undefined || version === undefined || below.length === 0) return undefined;
  const watch = below[0] === "watch" && below.length > 1;
  const segments = watch ? below.slice(1) : below;
  const [first, second, third] = segments;
  const isNamespaced =
    first === "namespaces" && third !== undefined && !(segments.length === 3 && ofNamespaces.includes(third));
  const [plural, name, subresource, ...more] = isNamespaced ? segments.slice(2) : segments;
  // What follows a proxy is a path at its target.
  if (more.length > 0 && subresource !== "proxy") return undefined;
  if (plural === undefined || (watch && subresource !== undefined)) return undefined;
  return {
    group,
    version,
    plural,
    ...(isNamespaced && { namespace: second! }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
    ...(watch && { watch }),
  };
}

/** Below these, followed by the path of an object, is what is known about the object. */
const explain = "/explain";
const monitoring = "/monitoring";
const pathAfter = (prefix: string, path: string): string | undefined =>
  path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
/** The path of the object that is explained at this path; undefined for other paths. */
export const explainedPath = (path: string): string | undefined => pathAfter(explain, path);
/** The path of the object whose figures are at this path; undefined for other paths. */
export const monitoredPath = (path: string): string | undefined => pathAfter(monitoring, path);

/** Where spans are sent to. */
export const tracesPath = "/traces";
/** The path of the object whose trace is at this path; undefined for other paths. */
export const tracedPath = (path: string): string | undefined =>
  path.startsWith(`${tracesPath}/`) ? path.slice(tracesPath.length) : undefined;

/** Where the whole cluster is read and replaced. */
export const snapshotPath = "/snapshot";
const history = "/history";
/** What follows /history in a path; undefined for other paths. */
export const historyPath = (path: string): string | undefined =>
  path.startsWith(`${history}/`) ? path.slice(history.length) : undefined;

/** Open without authentication, for probes and version negotiation. */
const open = ["/livez", "/readyz", "/healthz", "/version", "/version/"];
/** Whether a path is open without authentication. */
export const isOpen = (path: string): boolean => open.includes(path);

const rootOf = (r: ResourceDefinition): string => (r.group === "" ? "/api" : `/apis/${r.group}`);

/** Whether a path is at or below a served API group. */
export const isClaimed = (kinds: readonly ResourceDefinition[], path: string): boolean =>
  kinds.some((r) => path === rootOf(r) || path.startsWith(`${rootOf(r)}/`));

/** A boolean parameter: false when absent, "0" or "false"; otherwise true, also when empty. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

/** An integer parameter, if present. */
export function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null) return undefined;
  const refused = (because: string): ApiError =>
    new ApiError("BadRequest", `strconv.ParseInt: parsing ${JSON.stringify(value)}: ${because}`);
  if (!/^[+-]?\d+$/.test(value)) throw refused("invalid syntax");
  if (BigInt.asIntN(64, BigInt(value.replace("+", ""))) !== BigInt(value.replace("+", "")))
    throw refused("value out of range");
  return Number(value);
}

const writing: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch" };

/** What a request reads or deletes of a collection. A selector that cannot be read is refused later. */
function selectorsOf(query: URLSearchParams): Pick<RequestInfo, "fieldSelector" | "labelSelector"> {
  const [fieldText, labelText] = [query.get("fieldSelector"), query.get("labelSelector")];
  const fields = fieldText ? parseFieldSelector(fieldText) : undefined;
  const labels = labelText ? parseLabelSelector(labelText) : undefined;
  return {
    ...(fields && "requirements" in fields && { fieldSelector: fields.requirements }),
    ...(labels && "requirements" in labels && { labelSelector: labels.requirements }),
  };
}

const isSegment = (text: string): boolean => text !== "." && text !== ".." && !/[/%]/.test(text);

/** The name that a list or a watch selects, which then is of one object. */
function selectedName({ fieldSelector = [] }: Pick<RequestInfo, "fieldSelector">): string | undefined {
  const selected = fieldSelector.find(({ field, equal }) => field === "metadata.name" && equal)?.value;
  return selected && isSegment(selected) ? selected : undefined;
}

const verbsWithSelectors = ["list", "watch", "deletecollection"];

/** A request for a collection. Not under the deprecated `watch`, whose paths are of single objects as well. */
function ofCollection(info: RequestInfo, query: URLSearchParams): RequestInfo {
  const selectors = selectorsOf(query);
  const name = info.verb === "deletecollection" ? undefined : selectedName(selectors);
  return { ...info, ...selectors, ...(name !== undefined && { name }) };
}

/** The verb and its resource, or the lower-case method and the path where the path names no resource. */
export function requestInfo(
  method: string,
  { path, place }: { readonly path: string; readonly place: ResourcePath | undefined },
  query: URLSearchParams,
): RequestInfo {
  if (!place) return { verb: method.toLowerCase(), path };
  const { group, version, plural: resource, name, namespace, subresource, watch } = place;
  const reading = name !== undefined ? "get" : flag(query, "watch") ? "watch" : "list";
  const verb =
    method === "GET" || method === "HEAD"
      ? reading
      : method === "DELETE"
        ? `delete${name === undefined ? "collection" : ""}`
        : (writing[method] ?? "");
  const info = {
    version,
    verb: watch ? "watch" : verb,
    group,
    resource,
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(subresource !== undefined && { subresource }),
  };
  const selects = !watch && query.size > 0 && verbsWithSelectors.includes(verb);
  return selects ? ofCollection(info, query) : info;
}

interface Requested {
  readonly verb: string;
  readonly subresource?: string;
}

/** Watches and streams last until their client disconnects; their `timeout` is ignored. */
const streamed = new Set(["exec", "attach", "portforward", "log", "proxy"]);
/** Whether a request lasts as long as its client wants. */
export const isLongRunning = ({ verb, subresource = "" }: Requested): boolean =>
  verb === "watch" || verb === "proxy" || streamed.has(subresource);

/** The error of a request's timeout, with the message of Kubernetes' request deadline filter. */
export function timeoutError(query: URLSearchParams, attributes: Requested): ApiError | undefined {
  const text = query.get("timeout") ?? "";
  if (text === "" || isLongRunning(attributes)) return undefined;
  const parsed = parseDuration(text);
  if (typeof parsed === "number") return undefined;
  return new ApiError("BadRequest", `invalid timeout specified in the request URL - ${parsed.wrong}`);
}
