// The encoding of a response: YAML, indented JSON, gzip; and Warning headers. Most programs ask for none, and get the
// bytes unchanged.
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { stringify } from "yaml";
import { accepted } from "./render.ts";
import { type ApiRequest, type WholeReply, type ApiReply, replyError } from "../request/request-response.ts";
import type { ResourceDefinition } from "../../api/kinds.ts";

const pack = promisify(gzip);
/** Smaller bodies are not worth the work. */
const largeBytes = 128 * 1024;
const json = "application/json";

/** What of a request determines the encoding. */
type Reader = Pick<ApiRequest, "query" | "headers">;

/** Whether a text means yes, in the spellings of Go. */
const isYes = (text: string): boolean => ["1", "t", "T", "TRUE", "true", "True"].includes(text);

/** Browsers and command-line tools get indented JSON, unless the query says otherwise. */
function isForPeople({ query, headers }: Reader): boolean {
  const said = query.get("pretty");
  return said ? isYes(said) : /^(curl|Wget|Mozilla\/5\.0)/.test(headers["user-agent"] ?? "");
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

/** The reply in the writing this client reads best. What is no API object is left as it is. */
export function encodeResponse(whole: WholeReply, request: Reader): WholeReply {
  if (whole.headers?.["content-type"] !== json) return whole;
  // What has a tag is a document that clients keep: its bytes are what the tag speaks of.
  if (whole.headers["etag"] !== undefined) return whole;
  const isRefusal = whole.status >= 400;
  const wanted = accepted(request.headers.accept, isRefusal ? ["Plain"] : undefined);
  const inYaml = wanted?.writing === "yaml";
  // An error is sent whatever is accepted, and indented when nothing matched.
  const inLines = wanted === undefined ? isRefusal : wanted.pretty || isForPeople(request);
  if (!inYaml && !inLines) return whole;
  const value: unknown = JSON.parse(whole.body.toString());
  if (!inYaml) return { ...whole, body: JSON.stringify(value, undefined, 2) };
  return { ...whole, body: yamlOf(value), headers: { ...whole.headers, "content-type": "application/yaml" } };
}

const isUnderstood = (encodings: string | string[] | undefined): boolean =>
  `${encodings ?? ""}`.split(",").some((encoding) => encoding.trim() === "gzip");

/** The reply in fewer bytes, when it has many and the client can unpack them. */
export async function packed(whole: WholeReply, request: ApiRequest): Promise<WholeReply> {
  const { body, headers = {} } = whole;
  if (Buffer.byteLength(body) <= largeBytes || headers["content-encoding"] !== undefined) return whole;
  if (!/^application\/(json|yaml)/.test(`${headers["content-type"]}`)) return whole;
  if (!isUnderstood(request.headers["accept-encoding"])) return whole;
  return {
    ...whole,
    body: await pack(body, { level: constants.Z_BEST_SPEED }),
    headers: { ...headers, "content-encoding": "gzip", vary: "Accept-Encoding" },
  };
}

/** So many characters in all; beyond, every sentence is cut to its beginning. */
const mostCharacters = 4 * 1024;
const longestWhenMany = 256;

const isPlain = /^[^"\\]*$/;
const isAscii = /^[\x20-\x7e]*$/;
/** So many characters, however many units of the language they take. */
const lengthOf = (text: string): number => (isAscii.test(text) ? text.length : [...text].length);
const isControl = /\p{Cc}/u;
const header = (text: string): string => {
  const agentless = `299 - "${isPlain.test(text) ? text : text.replaceAll(/["\\]/g, "\\$&")}"`;
  // Headers are bytes: what is beyond ASCII goes out as it is written in UTF-8.
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

/** The answer to a request for a kind, refusals too, with a word about the kind where it had better not be used. */
export async function withDeprecationWarning(
  { deprecated }: ResourceDefinition,
  answer: Promise<ApiReply>,
): Promise<ApiReply> {
  if (deprecated === undefined) return answer;
  const whole = await answer.catch(replyError);
  const others = [whole.headers?.["warning"] ?? []].flat();
  return { ...whole, headers: { ...whole.headers, warning: [...warningHeaders([deprecated]), ...others] } };
}

/** The reply, with what its sender should know. */
export function warned(whole: WholeReply, sentences: Iterable<string>): WholeReply {
  const warning = warningHeaders(sentences);
  return warning.length === 0 ? whole : { ...whole, headers: { ...whole.headers, warning: [...warning] } };
}
