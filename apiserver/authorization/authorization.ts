// Who is let in, and with which words others are turned away. Pure.
import { ApiError } from "../../api/errors.ts";
import { type RequestAttributes, authorize } from "./authorize.ts";
import { forbidden } from "../registry/refusals.ts";
import type { ApiRequest, User } from "../request/request-response.ts";
import { isOpen } from "../request/paths.ts";
import { flag } from "../request/query.ts";

const writing: Readonly<Record<string, string>> = { POST: "create", PUT: "update", PATCH: "patch" };

/** What a request would do, in the words that rules are written in. */
export function attributesOf(
  method: string,
  { path, place }: Pick<ApiRequest, "path" | "place">,
  query: URLSearchParams,
): RequestAttributes {
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

/** Nothing that looks like a tag of HTML may come back to a browser. */
const harmless = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** What is said to somebody who may not do what they tried. */
export function turnedAway({ name: user }: User, attributes: RequestAttributes, because?: string): ApiError {
  const { verb, group = "", resource, subresource, namespace, name = "", path } = attributes;
  const who = `User ${JSON.stringify(user)} cannot ${verb}`;
  const reason = because === undefined ? "" : `: ${because}`;
  if (resource === undefined)
    return new ApiError("Forbidden", `forbidden: ${harmless(`${who} path ${JSON.stringify(path)}`)}${reason}`, {});
  const what = `resource ${JSON.stringify(subresource ? `${resource}/${subresource}` : resource)}`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace ${JSON.stringify(namespace)}`;
  const sentence = harmless(`${who} ${what} in API group ${JSON.stringify(group)} ${where}`);
  return forbidden({ group, plural: resource, kind: "" }, name, sentence + reason);
}

/** What is said to somebody who shows what does not prove anything. */
export const unauthorized = (): ApiError => new ApiError("Unauthorized", "Unauthorized");

/** Why a request is turned away before it is answered, if it is. */
export function refusal(user: User | undefined, attributes: RequestAttributes, path: string): ApiError | undefined {
  if (!user) return unauthorized();
  if (isOpen(path)) return undefined;
  const { allowed, because } = authorize(user, attributes);
  return allowed ? undefined : turnedAway(user, attributes, because);
}
