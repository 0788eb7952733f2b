// HTML pages in proxied responses, whose links are rewritten to lead through the proxy.
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { deflateRaw, gunzip, gzip, inflateRaw } from "node:zlib";

/** Attributes that are links, by element. */
const attributes: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  [
    "a href|applet codebase|area href|audio src|base href|blockquote cite|body background|button formaction",
    "command icon|del cite|embed src|form action|frame longdesc src|head profile|html manifest|iframe longdesc src",
    "img longdesc src usemap|input src usemap formaction|ins cite|link href|object classid codebase data usemap",
    "q cite|script src|source src|video poster src",
  ]
    .flatMap((line) => line.split("|"))
    .map((element) => element.split(" "))
    .map(([name = "", ...links]) => [name, links]),
);
/** Elements whose content is not HTML. */
const opaque = new Set(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes", "noscript"]);

// A name begins where something else ended, so that the search is linear.
const attribute = /(?<![^\s"'/])([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'=<>`]+)/g;
const tagName = /[a-z][^\s/>]*/iy;

/** Where the tag that begins here ends, or -1. A quoted ">" does not end it. */
function endOfTag(html: string, from: number): number {
  let quote = "";
  for (let at = from; at < html.length; at++) {
    const c = html[at]!;
    if (quote !== "") quote = c === quote ? "" : quote;
    else if (c === '"' || c === "'") quote = c;
    else if (c === ">") return at;
  }
  return -1;
}

function rewrittenTag(tag: string, names: readonly string[], rewrite: (link: string) => string): string {
  return tag.replace(attribute, (text: string, name: string, equals: string, value: string) => {
    if (!names.includes(name.toLowerCase())) return text;
    const bare = /^["']/.test(value) ? value.slice(1, -1) : value;
    const link = rewrite(bare.replaceAll("&amp;", "&"));
    return `${name}${equals}"${link.replaceAll("&", "&amp;").replaceAll('"', "&#34;")}"`;
  });
}

/** The page with its links rewritten. Linear in its length, because its content is untrusted. */
export function rewriteLinks(html: string, rewrite: (link: string) => string): string {
  const pieces: string[] = [];
  let [done, at] = [0, 0];
  const lower = html.toLowerCase();
  for (;;) {
    at = html.indexOf("<", at);
    if (at < 0) break;
    if (html.startsWith("<!--", at)) {
      const end = html.indexOf("-->", at + 4);
      if (end < 0) break;
      at = end + 3;
      continue;
    }
    tagName.lastIndex = at + 1;
    const name = tagName.exec(html)?.[0].toLowerCase();
    if (name === undefined) {
      at += 1;
      continue;
    }
    const end = endOfTag(html, at + 1 + name.length);
    if (end < 0) break;
    const names = attributes[name];
    if (names !== undefined) {
      pieces.push(html.slice(done, at), rewrittenTag(html.slice(at, end), names, rewrite));
      done = end;
    }
    at = end + 1;
    if (opaque.has(name)) {
      at = lower.indexOf(`</${name}`, at);
      if (at < 0) break;
    }
  }
  return pieces.join("") + html.slice(done);
}

/** A body, and its length when that is known. */
interface Page {
  readonly stream: AsyncIterable<Buffer>;
  readonly length: string | undefined;
}

/** A larger page is passed on unchanged, to bound memory. */
const largestPage = 8 * 1024 * 1024;

type Coding = (bytes: Buffer) => Promise<Buffer>;
const plain: Coding = async (bytes) => bytes;
const codings: Readonly<Record<string, { readonly read: Coding; readonly write: Coding }>> = {
  "": { read: plain, write: plain },
  gzip: { read: promisify<Buffer, Buffer>(gunzip), write: promisify<Buffer, Buffer>(gzip) },
  deflate: { read: promisify<Buffer, Buffer>(inflateRaw), write: promisify<Buffer, Buffer>(deflateRaw) },
};

async function* joined(first: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  yield* first;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
}
async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes;
}

/** The response with its links rewritten; undefined when it is no HTML page. */
export async function rewritten(
  response: IncomingMessage,
  rewrite: (link: string) => string,
): Promise<Page | undefined> {
  const type = (response.headers["content-type"] ?? "").split(";")[0]!.trim();
  const coding = codings[response.headers["content-encoding"] ?? ""];
  if (type !== "text/html" || coding === undefined) return undefined;
  const source = (response as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const held: Buffer[] = [];
  let size = 0;
  for (let next = await source.next(); !next.done; next = await source.next()) {
    held.push(next.value);
    size += next.value.length;
    if (size > largestPage) return { stream: joined(held, source), length: response.headers["content-length"] };
  }
  const page = Buffer.concat(held);
  try {
    const text = (await coding.read(page)).toString("utf8");
    const bytes = await coding.write(Buffer.from(rewriteLinks(text, rewrite)));
    return { stream: once(bytes), length: String(bytes.length) };
  } catch {
    // A page that cannot be decoded is passed on unchanged.
    return { stream: once(page), length: String(page.length) };
  }
}
