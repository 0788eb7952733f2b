// How the API is said in HTTP: paths, queries, bodies and errors. Pure.
import { ApiError, type ErrorReason, statusCodes } from "../api/errors.ts";
import { apiVersionOf, type ResourceDefinition } from "../api/kinds.ts";
import { type ApiObject, revisionOf } from "../api/meta.ts";
import type { Patch, Selection, WatchEvent, WritableSubresource } from "./client.ts";
import { frozen } from "./frozen.ts";
import type { HttpReply, HttpRequest } from "./http-session.ts";

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: ApiError["details"];
}
function errorOf({ reason, message = "the server gave no reason", code = 500, details }: Status): ApiError {
  const known = reason !== undefined && reason in statusCodes;
  const byCode =
    Object.entries(statusCodes).find(([, c]) => c === code)?.[0] ?? (code >= 500 ? "InternalError" : "BadRequest");
  return new ApiError((known ? reason : byCode) as ErrorReason, message, details);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Something between us and the server has cut the answer short: what was asked may have happened.
    throw new ApiError("ServiceUnavailable", "the server's answer is not whole");
  }
}

/** The answer's value, or the error it tells of. */
export function value({ status, body }: HttpReply): unknown {
  const answer = parsed(body.toString("utf8"));
  if (status < 200 || status > 299) throw errorOf({ code: status, ...(answer as Status) });
  return frozen(answer);
}

/** What of a definition a path is made of. */
type Named = Pick<ResourceDefinition, "group" | "version" | "plural">;

/** The path of a kind, of one object, or of a part of one. */
export function pathOf(
  r: Named,
  at: { readonly namespace?: string; readonly name?: string; readonly part?: string },
): string {
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${apiVersionOf(r)}`;
  const inside = at.namespace === undefined ? "" : `/namespaces/${encodeURIComponent(at.namespace)}`;
  const name = at.name === undefined ? "" : `/${encodeURIComponent(at.name)}`;
  return `${root}${inside}/${r.plural}${name}${at.part === undefined ? "" : `/${at.part}`}`;
}

/** The query string of what is given. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(values).filter(([, v]) => v !== undefined && v !== "");
  return given.length === 0 ? "" : `?${new URLSearchParams(given.map(([k, v]) => [k, String(v)]))}`;
}
/** What a selection adds to a query. */
export const selectors = ({ labelSelector, fieldSelector }: Selection): Record<string, string | undefined> => ({
  labelSelector,
  fieldSelector,
});

const patchTypes = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** A patch, as a request to its path. */
export function patchRequest(path: string, patch: Patch): HttpRequest {
  const contentType = patchTypes[patch.type];
  const body = patch.type === "json" ? patch.operations : patch.type === "apply" ? patch.object : patch.patch;
  const apply = patch.type === "apply" ? { fieldManager: patch.fieldManager, force: patch.force } : {};
  return { method: "PATCH", path: path + query({ ...apply, fieldValidation: "Ignore" }), body, contentType };
}

/** The lines of a stream that never ends by itself. */
export async function* lines(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of stream) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...rest, chunk.subarray(from, end)]).toString("utf8");
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
}

/** An event, from its line. */
export function watchEvent<T extends ApiObject>(line: string): WatchEvent<T> {
  const { type, object } = parsed(line) as { readonly type: string; readonly object: T };
  if (type === "ERROR") throw errorOf(object as Status);
  if (type === "BOOKMARK") return { type: "progress", revision: revisionOf(object) };
  return { type: type === "DELETED" ? "deleted" : "applied", object: frozen(object), revision: revisionOf(object) };
}

/** What is sent when only a part of an object is written, and how. */
export function partRequest(r: Named, object: ApiObject, part: WritableSubresource): HttpRequest {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const path = pathOf(r, { ...(namespace !== undefined && { namespace }), name, part });
  const metadata = { name, namespace, uid };
  const spec = (object as { readonly spec?: { readonly replicas?: number; readonly nodeName?: string } }).spec ?? {};
  switch (part) {
    case "status":
    case "approval":
    case "finalize":
    case "ephemeralcontainers":
    case "resize":
      return { method: "PUT", path, body: object };
    case "scale":
      return {
        method: "PUT",
        path,
        body: {
          apiVersion: "autoscaling/v1",
          kind: "Scale",
          metadata: { ...metadata, resourceVersion },
          spec: { replicas: spec.replicas },
        },
      };
    case "binding":
      return {
        method: "POST",
        path,
        body: {
          apiVersion: "v1",
          kind: "Binding",
          metadata,
          target: { apiVersion: "v1", kind: "Node", name: spec.nodeName },
        },
      };
  }
}
