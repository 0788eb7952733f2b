// HTML pages in proxied responses, whose links are rewritten to lead through the proxy.
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { deflateRaw, gunzip, gzip, inflateRaw } from "node:zlib";
import { rewriteLinks } from "./proxy-html.ts";

/** A body, and how long it is when that is known. */
interface Page {
  readonly stream: AsyncIterable<Buffer>;
  readonly length: string | undefined;
}

/** A larger page is passed on as it is: nobody's page may take all of our memory. */
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

/** The page with its links rewritten; undefined when the answer is no page. */
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
    // What cannot be read is not ours to judge.
    return { stream: once(page), length: String(page.length) };
  }
}
