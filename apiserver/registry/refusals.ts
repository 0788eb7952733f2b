// Errors of requests with Kubernetes' messages, which clients match.
import type { RequestAttributes } from "../authorization/authorizer.ts";
import { ApiError, type Problem } from "../../api/errors.ts";
import { qualified, type ResourceDefinition } from "../../api/kinds.ts";
import { type Key, type Revision, splitKey } from "../../api/meta.ts";
import { aggregated } from "../../api/quote.ts";

type Resource = Pick<ResourceDefinition, "group" | "plural" | "kind">;
const about = (r: Resource, name: string): { name?: string; kind: string; group?: string } => ({
  ...(name !== "" && { name }),
  ...(r.group !== "" && { group: r.group }),
  kind: r.plural,
});
const groupKind = (r: Resource): string => (r.group === "" ? r.kind : `${r.kind}.${r.group}`);

export const notFound = (r: Resource, name: string): ApiError =>
  new ApiError("NotFound", `${qualified(r)} "${name}" not found`, about(r, name));

export const alreadyExists = (r: Resource, name: string): ApiError =>
  new ApiError("AlreadyExists", `${qualified(r)} "${name}" already exists`, about(r, name));

/** Every name that was made up is taken. */
export const noNameLeft = (r: Resource, name: string): ApiError =>
  new ApiError(
    "AlreadyExists",
    `${qualified(r)} "${name}" already exists, the server was not able to generate a unique name for the object`,
    { ...about(r, name), retryAfterSeconds: 1 },
  );

export const conflict = (r: Resource, name: string, because: string = modified): ApiError =>
  new ApiError("Conflict", `Operation cannot be fulfilled on ${qualified(r)} "${name}": ${because}`, about(r, name));
/** A write for an object that was deleted, and perhaps recreated, meanwhile. */
export const otherUid = (r: Resource, key: Key, expected: string, found = ""): ApiError => {
  const because = `Precondition failed: UID in precondition: ${expected}, UID in object meta: ${found}`;
  const where = `StorageError: invalid object, Code: 4, Key: /registry/${r.plural}/${key}, ResourceVersion: 0`;
  return conflict(r, splitKey(key).name, `${where}, AdditionalErrorMsg: ${because}`);
};
const modified = "the object has been modified; please apply your changes to the latest version and try again";

export const forbidden = (r: Resource, name: string, because: string, cause?: object): ApiError =>
  new ApiError("Forbidden", `${qualified(r)}${name && ` "${name}"`} is forbidden: ${because}`, {
    ...about(r, name),
    ...(cause && { causes: [cause] }),
  });

/** All problems at once, so that a manifest need not be corrected field by field. */
export function invalid(r: Resource, name: string, problems: readonly Problem[]): ApiError {
  const all = aggregated(problems.map((p) => `${p.path}: ${p.message}`));
  return new ApiError("Invalid", `${groupKind(r)} "${name}" is invalid: ${all}`, {
    ...(name !== "" && { name }),
    ...(r.group !== "" && { group: r.group }),
    ...(r.kind !== "" && { kind: r.kind }),
    causes: problems.map((p) => ({ reason: p.reason ?? "FieldValueInvalid", message: p.message, field: p.path })),
  });
}

/** An update without the resource version that the kind requires. Kubernetes omits the kind in this message. */
export const unversioned = (r: Resource, name: string): ApiError =>
  invalid({ ...r, kind: r.plural }, name, [
    {
      path: "metadata.resourceVersion",
      message: "Invalid value: 0x0: must be specified for an update",
      reason: "FieldValueInvalid",
    },
  ]);

/** What was sent cannot be read as what the path is about. */
export const unhandled = (
  r: Pick<ResourceDefinition, "kind" | "version">,
  because: string,
  { kind, version } = r,
): ApiError =>
  new ApiError(
    "BadRequest",
    `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${r.kind}: ${because}`,
  );

export const methodNotAllowed = (r: Resource, verb: string): ApiError =>
  new ApiError("MethodNotAllowed", `${verb} is not supported on resources of kind "${qualified(r)}"`, {
    ...(r.group !== "" && { group: r.group }),
    kind: r.plural,
  });

/** No kind has this path. */
export const nowhere = (): ApiError => new ApiError("NotFound", "the server could not find the requested resource", {});
/** The path is there, but not for this method. */
export const methodNotServed = (): ApiError =>
  new ApiError("MethodNotAllowed", "the server does not allow this method on the requested resource", {});

/** Refuses a revision ahead of this server's: it may come from another server, so the client retries. */
export function notAhead(requested: Revision | undefined, current: Revision): void {
  if (requested === undefined || requested <= current) return;
  throw new ApiError("Timeout", `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
}

/** Escapes HTML: a browser can show the message, which repeats parts of the request. */
const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The request is not authorized. */
export function accessDenied(attributes: RequestAttributes, because?: string): ApiError {
  const { user, verb, group = "", resource, subresource, namespace, name = "", path } = attributes;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  const reason = because === undefined ? "" : `: ${because}`;
  if (resource === undefined)
    return new ApiError("Forbidden", `forbidden: ${escapeHtml(`${who} path ${JSON.stringify(path)}`)}${reason}`, {});
  const what = `resource ${JSON.stringify(subresource ? `${resource}/${subresource}` : resource)}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const sentence = escapeHtml(`${who} ${what} in API group ${JSON.stringify(group)} ${where}`);
  return forbidden({ group, plural: resource, kind: "" }, name, sentence + reason);
}

/** The request has invalid credentials. */
export const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");
