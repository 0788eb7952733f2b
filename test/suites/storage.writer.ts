// A process that writes to SQLite storage continuously and reports each acknowledgement, until it is killed.
import { writeSync } from "node:fs";
import { revision } from "../../api/meta.ts";
import { sqliteStorage } from "../../apiserver/storage/sqlite.ts";

const storage = sqliteStorage({ path: process.argv[2]! }, new AbortController().signal);
const start = await storage.revision();
const write = async (worker: number): Promise<void> => {
  for (let i = 0; ; i++) {
    const key = `/${start}/${worker}/${i}`;
    const commit = await storage.commit({ key, expect: revision(0), value: Buffer.alloc(1000, "x") });
    if (commit.ok) writeSync(1, `${key} ${commit.revision}\n`);
  }
};
await Promise.all([0, 1, 2, 3].map(write));
