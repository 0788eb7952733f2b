// The encoding of a response: YAML, indented JSON, gzip; and Warning headers. Most programs ask for none, and get the
// bytes unchanged.
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { stringify } from "yaml";
import { accepted } from "./render.ts";
import { type ApiRequest, type WholeReply, type ApiReply, replyError } from "../request/request-response.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";

const pack = promisify(gzip);
/** Smaller bodies are not compressed. */
const largeBytes = 128 * 1024;
const json = "application/json";

/** What of a request determines the encoding. */
type Reader = Pick<ApiRequest, "query" | "headers">;

/** Parses a boolean as Go does. */
const isTrue = (text: string): boolean => ["1", "t", "T", "TRUE", "true", "True"].includes(text);

/** Browsers and command-line tools get indented JSON, unless the query disables it. */
function isIndented({ query, headers }: Reader): boolean {
  const pretty = query.get("pretty");
  return pretty ? isTrue(pretty) : /^(curl|Wget|Mozilla\/5\.0)/.test(headers["user-agent"] ?? "");
}

/** One object in YAML, its fields in the order of the alphabet. */
const yamlOf = (value: unknown): string =>
  stringify(value, {
    version: "1.1",
    sortMapEntries: true,
    indentSeq: false,
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });

/** The reply in the encoding that the client accepts. Only API objects are changed. */
export function encodeResponse(reply: WholeReply, request: Reader): WholeReply {
  if (reply.headers?.["content-type"] !== json) return reply;
  // An entity tag identifies these bytes.
  if (reply.headers["etag"] !== undefined) return reply;
  const isRefusal = reply.status >= 400;
  const mediaType = accepted(request.headers.accept, isRefusal ? ["Plain"] : undefined);
  const inYaml = mediaType?.writing === "yaml";
  // An error is sent whatever is accepted, and indented when nothing matched.
  const inLines = mediaType === undefined ? isRefusal : mediaType.pretty || isIndented(request);
  if (!inYaml && !inLines) return reply;
  const value: unknown = JSON.parse(reply.body.toString());
  if (!inYaml) return { ...reply, body: JSON.stringify(value, undefined, 2) };
  return { ...reply, body: yamlOf(value), headers: { ...reply.headers, "content-type": "application/yaml" } };
}

const acceptsGzip = (encodings: string | string[] | undefined): boolean =>
  `${encodings ?? ""}`.split(",").some((encoding) => encoding.trim() === "gzip");

/** The reply, compressed when it is large and the client accepts gzip. */
export async function packed(reply: WholeReply, request: ApiRequest): Promise<WholeReply> {
  const { body, headers = {} } = reply;
  if (Buffer.byteLength(body) <= largeBytes || headers["content-encoding"] !== undefined) return reply;
  if (!/^application\/(json|yaml)/.test(`${headers["content-type"]}`)) return reply;
  if (!acceptsGzip(request.headers["accept-encoding"])) return reply;
  return {
    ...reply,
    body: await pack(body, { level: constants.Z_BEST_SPEED }),
    headers: { ...headers, "content-encoding": "gzip", vary: "Accept-Encoding" },
  };
}

/** Limit of all warnings together; beyond it each is truncated. */
const mostCharacters = 4 * 1024;
const longestWhenMany = 256;

const isPlain = /^[^"\\]*$/;
const isAscii = /^[\x20-\x7e]*$/;
/** The number of characters, not of UTF-16 units. */
const lengthOf = (text: string): number => (isAscii.test(text) ? text.length : [...text].length);
const isControl = /\p{Cc}/u;
const header = (text: string): string => {
  const agentless = `299 - "${isPlain.test(text) ? text : text.replaceAll(/["\\]/g, "\\$&")}"`;
  // Headers are bytes: characters beyond ASCII are sent as UTF-8.
  return isAscii.test(agentless) ? agentless : Buffer.from(agentless, "utf8").toString("latin1");
};

/** The headers for these sentences. */
export function warningHeaders(sentences: Iterable<string>): readonly string[] {
  const texts = [...new Set(sentences)].filter((text) => text !== "" && !isControl.test(text));
  const size = texts.reduce((sum, text) => sum + lengthOf(text), 0);
  if (size <= mostCharacters) return texts.map(header);
  const cut: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= mostCharacters) break;
    const beginning = [...text].slice(0, longestWhenMany).join("");
    written += [...beginning].length;
    cut.push(header(beginning));
  }
  return cut;
}

/** The reply to a request for a kind, errors included, with a warning when the kind is deprecated. */
export async function withDeprecationWarning(
  { deprecated }: ResourceDefinition,
  pending: Promise<ApiReply>,
): Promise<ApiReply> {
  if (deprecated === undefined) return pending;
  const reply = await pending.catch(replyError);
  const others = [reply.headers?.["warning"] ?? []].flat();
  return { ...reply, headers: { ...reply.headers, warning: [...warningHeaders([deprecated]), ...others] } };
}

/** The reply with Warning headers. */
export function warned(reply: WholeReply, sentences: Iterable<string>): WholeReply {
  const warning = warningHeaders(sentences);
  return warning.length === 0 ? reply : { ...reply, headers: { ...reply.headers, warning: [...warning] } };
}
