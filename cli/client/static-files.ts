// Serves the files of a folder over HTTP, as `proxy --www` does.
import { createReadStream, type Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, posix } from "node:path";
import { pipeline } from "node:stream/promises";

const text = (type: string): string => `text/${type}; charset=utf-8`;
const types: Readonly<Record<string, string>> = {
  ".css": text("css"),
  ".gif": "image/gif",
  ".htm": text("html"),
  ".html": text("html"),
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".js": text("javascript"),
  ".json": "application/json",
  ".mjs": text("javascript"),
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": text("plain"),
  ".wasm": "application/wasm",
  ".webp": "image/webp",
  ".xml": text("xml"),
};

/** Answers with a text. */
export function plainText(response: ServerResponse, status: number, body: string): void {
  const headers = {
    "content-type": text("plain"),
    "x-content-type-options": "nosniff",
    "content-length": body.length + 1,
  };
  response.writeHead(status, headers).end(`${body}\n`);
}

export const notFound = (response: ServerResponse): void => plainText(response, 404, "404 page not found");

/** Redirects for good, or with 307 for now. */
export const redirect = (response: ServerResponse, location: string, status = 301): void =>
  void response.writeHead(status, { location, "content-length": 0 }).end();

const escaped = (name: string): string =>
  name.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&#34;");

async function listing(folder: string): Promise<string> {
  const files = await readdir(folder, { withFileTypes: true });
  const names = files.map((file) => (file.isDirectory() ? `${file.name}/` : file.name)).sort();
  const links = names.map((name) => `<a href="${encodeURI(name)}">${escaped(name)}</a>\n`).join("");
  return `<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n${links}</pre>\n`;
}

/** The bytes of a request for one range, or undefined for the whole file. */
function rangeOf(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | undefined {
  const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(header ?? "") ?? [];
  if (from === "" && to === "") return undefined;
  const start = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  return start <= end ? { start, end } : undefined;
}

async function sendFile(request: IncomingMessage, response: ServerResponse, path: string, stats: Stats): Promise<void> {
  const lastModified = stats.mtime.toUTCString();
  const since = Date.parse(request.headers["if-modified-since"] ?? "");
  if (since >= Date.parse(lastModified)) return void response.writeHead(304, { "last-modified": lastModified }).end();
  const range = rangeOf(request.headers.range, stats.size);
  const { start, end } = range ?? { start: 0, end: stats.size - 1 };
  response.writeHead(range ? 206 : 200, {
    "accept-ranges": "bytes",
    "content-length": end - start + 1,
    ...(range && { "content-range": `bytes ${start}-${end}/${stats.size}` }),
    "content-type": types[extname(path).toLowerCase()] ?? "application/octet-stream",
    "last-modified": lastModified,
  });
  if (request.method === "HEAD" || stats.size === 0) response.end();
  else await pipeline(createReadStream(path, { start, end }), response);
}

async function sendFolder(request: IncomingMessage, response: ServerResponse, folder: string, stats: Stats) {
  const index = join(folder, "index.html");
  const ofIndex = await stat(index).catch(() => undefined);
  if (ofIndex?.isFile()) return sendFile(request, response, index, ofIndex);
  const headers = { "content-type": text("html"), "last-modified": stats.mtime.toUTCString() };
  const body = await listing(folder);
  response.writeHead(200, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(request.method === "HEAD" ? "" : body);
}

/** Serves one path of a folder. Paths cannot lead out of it: they are normalized as if it were the root. */
export async function serveFile(
  request: IncomingMessage,
  response: ServerResponse,
  root: string,
  path: string,
): Promise<void> {
  const clean = posix.normalize(`/${path}`);
  if (clean.includes("\0")) return notFound(response);
  const file = join(root, clean);
  const stats = await stat(file).catch(() => undefined);
  if (!stats) return notFound(response);
  if (clean.endsWith("/index.html")) return redirect(response, "./");
  if (stats.isDirectory() && !clean.endsWith("/")) return redirect(response, `${posix.basename(clean)}/`);
  if (stats.isDirectory()) return sendFolder(request, response, file, stats);
  if (clean.endsWith("/")) return redirect(response, `../${posix.basename(clean)}`);
  return sendFile(request, response, file, stats);
}
