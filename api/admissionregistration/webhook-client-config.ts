// How a webhook is called: by a URL, or by a path of a service.
import type { AdmissionregistrationV1WebhookClientConfig as WebhookClientConfig } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import { validateSubdomainName } from "../names.ts";
import { detailOf, invalid, none, required, together } from "../problems.ts";

const form = "; desired format: https://host[/path]";
const parts = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

function validateUrl(url: string, path: string): readonly Problem[] {
  const [, scheme = "", user, host = "", , query = "", fragment = ""] = parts.exec(url) ?? [];
  return together(
    scheme.toLowerCase() !== "https" && invalid(path, scheme, `'https' is the only allowed URL scheme${form}`),
    host === "" && invalid(path, host, `host must be specified${form}`),
    user !== undefined && invalid(path, user, "user information is not permitted in the URL"),
    fragment !== "" && invalid(path, fragment, "fragments are not permitted in the URL"),
    query !== "" && invalid(path, query, "query parameters are not permitted in the URL"),
  );
}

function validateServicePath(text: string, path: string): readonly Problem[] {
  if (text === "" || text === "/") return none;
  if (text === "//") return [invalid(path, text, "segment[0] may not be empty")];
  const segments = text.slice(1).replace(/\/$/, "").split("/");
  return together(
    !text.startsWith("/") && invalid(path, text, "must start with a '/'"),
    ...segments.map((segment, i) =>
      segment === ""
        ? invalid(path, text, `segment[${i}] may not be empty`)
        : validateSubdomainName(segment, path).map((p) => invalid(path, text, `segment[${i}]: ${detailOf(p)}`)),
    ),
  );
}

/** Exactly one of a URL and a service is given, and it is valid. */
export function validateClientConfig({ url, service }: Partial<WebhookClientConfig> = {}, path: string) {
  if ((url === undefined) === (service === undefined))
    return [required(path, "exactly one of url or service is required")];
  return url === undefined
    ? validateServicePath(service?.path ?? "", `${path}.service.path`)
    : validateUrl(url, `${path}.url`);
}
