// GET /containerLogs/NAMESPACE/POD/CONTAINER: the log of a container. GET /logs/...: the files below a folder of the
// node; a folder as a list of links.
import type { ServerResponse } from "node:http";
import { type Instant, instant, instantOf } from "../../api/meta.ts";
import { drained } from "../back-pressure.ts";
import type { KubeletView } from "../kubelet.ts";
import type { LogOptions } from "../runtime.ts";
import { type Address, Refused, runWithLogs } from "./find-container.ts";
import { createReadStream } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";

const isTrue = (query: URLSearchParams, name: string): boolean => query.get(name) === "true";

function count(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const n = Number(text);
  if (!Number.isInteger(n)) throw new Refused(400, '{"message": "Unable to decode query."}');
  if (n < least) throw new Refused(422, '{"message": "Invalid request."}');
  return n;
}

function since(query: URLSearchParams, now: Instant): Instant | undefined {
  const time = query.get("sinceTime");
  if (time) return instantOf(time);
  const seconds = count(query, "sinceSeconds", 1);
  return seconds === undefined ? undefined : instant(now - seconds * 1_000);
}

const streams: Readonly<Record<string, LogOptions["stream"]>> = { Stdout: "stdout", Stderr: "stderr" };

/** Parses the query; its errors are short, because the API server has validated it in detail. */
export function logOptions(
  query: URLSearchParams,
  now: Instant,
): LogOptions & { readonly limitBytes?: number; readonly previous: boolean } {
  return {
    follow: isTrue(query, "follow"),
    timestamps: isTrue(query, "timestamps"),
    previous: isTrue(query, "previous"),
    tail: count(query, "tailLines", 0),
    since: since(query, now),
    limitBytes: count(query, "limitBytes", 1),
    stream: streams[query.get("stream") ?? ""],
  };
}

async function written(response: ServerResponse, data: Uint8Array): Promise<void> {
  if (!response.write(data) && !response.destroyed) await drained(response);
}

/** Streams until the log ends, the client leaves or `limitBytes` are sent. */
export async function serveLogs(
  view: KubeletView,
  a: Address,
  query: URLSearchParams,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const { limitBytes, previous, ...options } = logOptions(query, view.world.clock.now());
  const run = await runWithLogs(view, a, previous, signal);
  response.writeHead(200, { "content-type": "text/plain" });
  response.flushHeaders();
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const data of view.runtime.logs(run.id, options, signal)) {
    await written(response, data.subarray(0, left));
    left -= data.length;
    if (left <= 0 || response.destroyed) break;
  }
  response.end();
}

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
