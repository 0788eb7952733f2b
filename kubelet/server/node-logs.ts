// GET /logs/...: the files below a folder of the node; a folder as a list of links.
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { Refused } from "./find-container.ts";

const missing = (): Refused => new Refused(404, "404 page not found");
const htmlText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&#34;");

/** The HTML of a folder's listing, as in Go's file server. Pure. */
export const listing = (names: readonly string[]): string =>
  `<pre>\n${names.map((name) => `<a href="${encodeURI(name)}">${htmlText(name)}</a>\n`).join("")}</pre>\n`;

/** Resolves a path with its symbolic links; undefined outside of the folder. */
async function placeOf(root: string, path: string): Promise<string> {
  const [home, place] = await Promise.all([realpath(root), realpath(join(root, path))]).catch(() => {
    throw missing();
  });
  if (place !== home && !place.startsWith(`${home}${sep}`)) throw missing();
  return place;
}

/** Serves the file or folder `path` below `root`. */
export async function serveNodeLogs(root: string, path: string, response: ServerResponse): Promise<void> {
  const place = await placeOf(root, path);
  if ((await stat(place)).isDirectory()) {
    if (!path.endsWith("/")) return void response.writeHead(301, { location: `${path.split("/").at(-1)}/` }).end();
    const entries = await readdir(place, { withFileTypes: true });
    const names = entries.map((e) => (e.isDirectory() ? `${e.name}/` : e.name)).toSorted();
    return void response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(listing(names));
  }
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  await pipeline(createReadStream(place), response);
}
