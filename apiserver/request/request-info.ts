// What a request does, in the terms of authorization rules. Pure.
import type { RequestInfo } from "../authorization/authorizer.ts";
import { flag } from "./query.ts";
import type { ApiRequest } from "./request-response.ts";

const writing: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch" };

/** The verb and its resource, or the lower-case method and the path where the path names no resource. */
export function requestInfo(
  method: string,
  { path, place }: Pick<ApiRequest, "path" | "place">,
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
  return {
    version,
    verb: watch ? "watch" : verb,
    group,
    resource,
    ...(name !== undefined && { name }),
    ...(namespace !== undefined && { namespace }),
    ...(subresource !== undefined && { subresource }),
  };
}
