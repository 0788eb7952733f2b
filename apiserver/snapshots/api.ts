// The whole cluster as one archive: GET of /snapshot reads it at one revision, POST replaces everything by it. Both are
// for administrators: the archive has every secret, and the replacement passes no admission.
import { ApiError } from "../../api/errors.ts";
import { timestamp } from "../../api/meta.ts";
import type { World } from "../../machinery/world.ts";
import { methodNotServed } from "../registry/refusals.ts";
import { snapshotPath } from "../request/path.ts";
import { type ApiRequest, type Extension, reply } from "../request/request-response.ts";
import type { Storage } from "../storage/storage.ts";
import { type ArchiveHeader, archiveLines, readArchive } from "./archive.ts";
import { restoredEntries, withRenamedNodes } from "./merge.ts";

/** More than any cluster has; what is larger is refused before it fills the memory. */
const mostBytes = 2 ** 31;

async function textOf({ upload, body }: ApiRequest): Promise<string> {
  if (!upload) return body?.toString("utf8") ?? "";
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of upload) {
    bytes += (chunk as Buffer).length;
    if (bytes > mostBytes) throw new ApiError("RequestEntityTooLarge", "the snapshot is larger than 2 GiB");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** `rename=OLD:NEW`, as often as there are nodes whose names differ. */
function renamesIn(query: URLSearchParams): Readonly<Record<string, string>> {
  return Object.fromEntries(query.getAll("rename").map((text) => text.split(":") as [string, string]));
}

async function* read(storage: Storage, world: World): AsyncGenerator<string> {
  const { entries, revision } = await storage.list("/");
  const header: ArchiveHeader = {
    ...{ kind: "ClusterSnapshot", apiVersion: "orrery.dev/v1", revision },
    ...{ time: timestamp(world.clock.now()), entries: entries.length },
  };
  yield* archiveLines({ header, entries });
}

/** Serves the snapshot. `initialize` writes what every server needs, such as its own service, after a restore. */
export function snapshotsApi(storage: Storage, world: World, initialize: () => Promise<void>): Extension {
  return async (request) => {
    const { method, path, query } = request;
    if (path !== snapshotPath) return undefined;
    if (method === "GET")
      return { status: 200, headers: { "content-type": "application/octet-stream" }, stream: read(storage, world) };
    if (method !== "POST") throw methodNotServed();
    const { header, entries } = readArchive(await textOf(request));
    const { entries: current } = await storage.list("/");
    const restored = restoredEntries(withRenamedNodes(entries, renamesIn(query)), current);
    await storage.replaceAll(restored);
    world.log("the cluster was replaced by a snapshot", { revision: header.revision, entries: restored.length });
    await initialize();
    return reply({ kind: "RestoredSnapshot", apiVersion: "orrery.dev/v1", entries: restored.length });
  };
}
