// The encoding of a response: YAML, indented JSON, gzip. Most programs ask for none, and get the bytes unchanged.
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { stringify } from "yaml";
import { accepted } from "./render.ts";
import type { ApiRequest, WholeReply } from "../request/request-response.ts";

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
