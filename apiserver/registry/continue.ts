// Continue tokens of paged lists, opaque to clients. Pure.
import { ApiError } from "../../api/errors.ts";
import { type Revision, revision } from "../../api/meta.ts";

/** The last key of the page before, and the moment all pages show; without one, the list goes on in the present. */
export interface Continue {
  readonly after: string;
  readonly at?: Revision;
}

const version = "meta.k8s.io/v1";
/** Says that the rest is to be of the present: 0 would be a token that lost its revision. */
const present = -1;
/** The list goes on at the first key that could follow the last one. */
const next = "\0";

/** The token of a list under this prefix. */
export function tokenOf({ after, at }: Continue, prefix: string): string {
  const start = `${after.slice(prefix.length)}${next}`;
  return Buffer.from(JSON.stringify({ v: version, rv: at ?? present, start })).toString("base64url");
}

const refused = (because: string): ApiError =>
  new ApiError("BadRequest", `invalid continue token: continue key is not valid${because}`);

function parsed(text: string): { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown } {
  const strange = /[^-\w\r\n]/.exec(text)?.index ?? (text.length % 4 === 1 ? text.length - 1 : undefined);
  if (strange !== undefined) throw refused(`: illegal base64 data at input byte ${strange}`);
  const json = Buffer.from(text, "base64url").toString();
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // Not a token of this server: refused below.
  }
  throw refused(
    json === "" ? ": unexpected end of JSON input" : `: invalid character '${json[0]}' looking for beginning of value`,
  );
}

/** The position in a token, for the list under this prefix. */
export function parseToken(text: string, prefix: string): Continue {
  const { v = "", rv = 0, start = "" } = parsed(text);
  if (v !== version) throw refused(`: server does not recognize this encoded version ${v}`);
  if (typeof rv !== "number" || rv === 0)
    throw refused(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  if (typeof start !== "string" || start === "") throw refused(": encoded start key empty (version meta.k8s.io/v1)");
  // Nobody leaves the place the path names by way of a token.
  if (start.split("/").some((part, i) => part === "." || part === ".." || (part === "" && i > 0)))
    throw refused(`: ${start}`);
  const after = prefix + (start.endsWith(next) ? start.slice(0, -1) : start).replace(/^\//, "");
  return rv < 0 ? { after } : { after, at: revision(rv) };
}
