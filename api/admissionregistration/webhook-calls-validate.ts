// What can be wrong with where a webhook is called: a URL, or a path of a service.
import type { Problem } from "../errors.ts";
import { validateSubdomainName } from "../names.ts";
import { detailOf, invalid, required } from "../problems.ts";

/** Where something is called, whoever calls. */
export interface Call {
  readonly url?: string;
  readonly service?: { readonly path?: string };
}

const form = "; desired format: https://host[/path]";
const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

function validateUrl(url: string, path: string): readonly Problem[] {
  const [, scheme = "", user, host = "", , query = "", fragment = ""] = parts.exec(url) ?? [];
  return [
    ...(scheme.toLowerCase() === "https"
      ? []
      : [invalid(path, scheme, `'https' is the only allowed URL scheme${form}`)]),
    ...(host === "" ? [invalid(path, host, `host must be specified${form}`)] : []),
    ...(user === undefined ? [] : [invalid(path, user, "user information is not permitted in the URL")]),
    ...(fragment === "" ? [] : [invalid(path, fragment, "fragments are not permitted in the URL")]),
    ...(query === "" ? [] : [invalid(path, query, "query parameters are not permitted in the URL")]),
  ];
}

function validateServicePath(text: string, path: string): readonly Problem[] {
  if (text === "" || text === "/") return [];
  if (text === "//") return [invalid(path, text, "segment[0] may not be empty")];
  const segments = text.slice(1).replace(/\/$/, "").split("/");
  return [
    ...(text.startsWith("/") ? [] : [invalid(path, text, "must start with a '/'")]),
    ...segments.flatMap((segment, i) => {
      if (segment === "") return [invalid(path, text, `segment[${i}] may not be empty`)];
      return validateSubdomainName(segment, path).map((p) => invalid(path, text, `segment[${i}]: ${detailOf(p)}`));
    }),
  ];
}

/** One of the two, and that one right. */
export function validateCall({ url, service }: Call = {}, path: string): readonly Problem[] {
  if ((url === undefined) === (service === undefined))
    return [required(path, "exactly one of url or service is required")];
  return url === undefined
    ? validateServicePath(service?.path ?? "", `${path}.service.path`)
    : validateUrl(url, `${path}.url`);
}
