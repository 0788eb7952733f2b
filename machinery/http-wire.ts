// The API in HTTP: paths, queries, bodies and errors. Pure.
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
    // A proxy cut the response short: the request may have taken effect.
    throw new ApiError("ServiceUnavailable", "the server's answer is not whole");
  }
}

/** The decoded response, or the error its Status carries. */
export function value({ status, body }: HttpReply): unknown {
  const answer = parsed(body.toString("utf8"));
  if (status < 200 || status > 299) throw errorOf({ code: status, ...(answer as Status) });
  return frozen(answer);
}

/** The part of a definition that paths are made of. */
type Named = Pick<ResourceDefinition, "group" | "version" | "plural">;

/** The path of a collection, an object, or a subresource. */
export function pathOf(
  r: Named,
  at: { readonly namespace?: string; readonly name?: string; readonly part?: string },
): string {
  const root = r.group === "" ? `/api/${r.version}` : `/apis/${apiVersionOf(r)}`;
  const inside = at.namespace === undefined ? "" : `/namespaces/${encodeURIComponent(at.namespace)}`;
  const name = at.name === undefined ? "" : `/${encodeURIComponent(at.name)}`;
  return `${root}${inside}/${r.plural}${name}${at.part === undefined ? "" : `/${at.part}`}`;
}

/** The query string of the values that are set. */
export function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const set = Object.entries(values).filter(([, v]) => v !== undefined && v !== "");
  return set.length === 0 ? "" : `?${new URLSearchParams(set.map(([k, v]) => [k, String(v)]))}`;
}
/** The query parameters of a selection. */
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

/** The request that sends a patch to this path. */
export function patchRequest(path: string, patch: Patch): HttpRequest {
  const contentType = patchTypes[patch.type];
  const body = patch.type === "json" ? patch.operations : patch.type === "apply" ? patch.object : patch.patch;
  const apply = patch.type === "apply" ? { fieldManager: patch.fieldManager, force: patch.force } : {};
  return { method: "PATCH", path: path + query({ ...apply, fieldValidation: "Ignore" }), body, contentType };
}

/** Splits a stream into lines. */
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

/** Decodes one line of a watch. */
export function watchEvent<T extends ApiObject>(line: string): WatchEvent<T> {
  const { type, object } = parsed(line) as { readonly type: string; readonly object: T };
  if (type === "ERROR") throw errorOf(object as Status);
  if (type === "BOOKMARK") return { type: "progress", revision: revisionOf(object) };
  return { type: type === "DELETED" ? "deleted" : "applied", object: frozen(object), revision: revisionOf(object) };
}

/** The request that writes a subresource of an object. */
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
