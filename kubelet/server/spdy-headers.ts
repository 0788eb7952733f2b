// Header blocks of SPDY/3.1, compressed with a fixed dictionary in one stream per direction.
import { promisify } from "node:util";
import zlib from "node:zlib";

const words = [
  ..."options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow".split(
    " ",
  ),
  ..."authorization cache-control connection content-base content-encoding content-language content-length".split(" "),
  ..."content-location content-md5 content-range content-type date etag expect expires from host if-match".split(" "),
  ..."if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma".split(
    " ",
  ),
  ..."proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding".split(" "),
  ..."upgrade user-agent vary via warning www-authenticate method get status".split(" "),
  ...["200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin"],
];
const phrases = [
  "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505",
  "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized",
  "403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable",
  "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT",
  "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,",
  "text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.",
];

/** A string with its length before it. */
function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The dictionary of the specification. */
export const dictionary = Buffer.concat([...words.map(counted), Buffer.from(phrases.join(""))]);

export type Headers = Readonly<Record<string, string>>;

/** Encodes a header block, uncompressed. */
export function writeHeaders(headers: Headers): Buffer {
  const count = Buffer.alloc(4);
  const entries = Object.entries(headers);
  count.writeUInt32BE(entries.length);
  return Buffer.concat([count, ...entries.flatMap(([name, value]) => [counted(name), counted(value)])]);
}

/** Decodes a header block, uncompressed. */
export function readHeaders(block: Buffer): Headers {
  let at = 4;
  const text = (): string => {
    const length = block.readUInt32BE(at);
    at += 4 + length;
    return block.toString("utf8", at - length, at);
  };
  const headers: Record<string, string> = {};
  for (let left = block.readUInt32BE(0); left > 0; left--) {
    const name = text();
    headers[name.toLowerCase()] = text();
  }
  return headers;
}

/** One direction of compression. Blocks refer to earlier ones, so they are processed in order. */
export function headerStream(direction: "compress" | "decompress"): (block: Buffer) => Promise<Buffer> {
  const stream = direction === "compress" ? zlib.createDeflate({ dictionary }) : zlib.createInflate({ dictionary });
  const flush = promisify<number, void>(stream.flush.bind(stream) as (kind: number, done: (e?: Error) => void) => void);
  let pieces: Buffer[] = [];
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  let last: Promise<unknown> = Promise.resolve();
  const pass = async (block: Buffer): Promise<Buffer> => {
    pieces = [];
    await new Promise<void>((resolve, reject) => {
      stream.once("error", reject);
      stream.write(block, () => {
        stream.off("error", reject);
        resolve();
      });
    });
    await flush(zlib.constants.Z_SYNC_FLUSH);
    return Buffer.concat(pieces);
  };
  return (block) => {
    const next = last.then(() => pass(block));
    last = next.catch(() => {});
    return next;
  };
}
