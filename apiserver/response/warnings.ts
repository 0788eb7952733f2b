// Warning headers: each sentence once, within a limit of size. Pure, but for the set that is filled.
import type { ResourceDefinition } from "../../api/kinds.ts";
import { type ApiReply, replyError, type WholeReply } from "../request/request-response.ts";

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
