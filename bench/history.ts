// What history takes in memory: bytes per change beside its value, against the estimate of the budget; and what a read
// of the past costs, of one object and of a kind. Run with --expose-gc.
import { instant, revision } from "../api/meta.ts";
import { changeBytes } from "../apiserver/storage/history.ts";
import { memoryStorage } from "../apiserver/storage/log.ts";

const [kinds, objects, changes, valueBytes] = [4, 1_000, 100_000, 1_500];
const used = (): number => {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};
const cpuMs = (work: () => unknown, times: number): number => {
  const began = process.cpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1000 / times;
};

let revisions = 0;
const storage = memoryStorage(() => instant(revisions));
const latest = new Map<string, number>();
const write = async (i: number): Promise<void> => {
  const key = `/group/kind${i % kinds}/namespace/object-${i % objects}`;
  const value = new Uint8Array(valueBytes);
  const commit = await storage.commit({ key, expect: revision(latest.get(key) ?? 0), value });
  if (!commit.ok) throw new Error("the bench is the only writer");
  latest.set(key, commit.revision);
  revisions = commit.revision;
};
for (let i = 0; i < objects; i++) await write(i);
await storage.compact(revision(revisions));
const before = used();
for (let i = 0; i < changes; i++) await write(i);
const taken = used() - before;
const { history } = storage;
const perChange = taken / changes - valueBytes;
console.log(`${changes} changes of ${valueBytes} bytes: ${Math.round(taken / changes)} bytes each`);
console.log(`beside the value ${Math.round(perChange)} bytes, estimated as ${changeBytes}`);
const middle = revision(revisions - changes / 2);
const single = cpuMs(() => history.get("/group/kind1/namespace/object-1", middle), 1_000);
const recent = revision(revisions - 1_000);
const [list, old] = [recent, middle].map((at) => cpuMs(() => storage.list("/group/kind1/", { at }), 20));
console.log(`one object at a revision ${single.toFixed(4)} ms; a kind of ${objects / kinds} objects, 250 of its`);
console.log(`changes ago ${list!.toFixed(2)} ms, 12,500 of its changes ago ${old!.toFixed(2)} ms`);
if (Math.abs(perChange - changeBytes) > changeBytes / 4) process.exitCode = 1;
