// What a command did: its exit code, its output, and the objects it changed. Values that no two runs share are replaced.
import { isStored } from "../../../api/kinds.ts";
import type { ApiObject } from "../../../api/meta.ts";
import type { TestServer } from "../../suites/listening.ts";

/** What a command did. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** By the path of each object that was created, changed or deleted: its new state. */
  readonly changes: ReadonlyMap<string, string>;
}
/** The parts of an outcome that two programs share. */
export interface Agreement {
  readonly code: boolean;
  readonly objects: boolean;
  readonly output: boolean;
}

/** Patterns of values that no two runs share, and what is put in their place. */
const substitutes: readonly (readonly [pattern: RegExp, substitute: string])[] = [
  // The port of the server, which the system chooses.
  [/(127\.0\.0\.1:|192\.0\.2\.1:|\b)[3-6]\d{4}\b/g, "$1PORT"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, "UID"],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?[+-]\d{4}|Z)?/g, "TIME"],
  [/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000/g, "TIME"],
  [/(resourceVersion(?:=|"?:) ?"?)\d+/g, "$1REVISION"],
  [/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, "TOKEN"],
  [/\bX509SHA256=\w+/g, "X509SHA256=HASH"],
  // The header of a line of kubectl's log.
  [/^[WEIF]\d{4} .*?\] /gm, "klog: "],
  // Folders and files that exist only during the test.
  [/(LIVE|MERGED|(?:kubectl|orrery)-(?:edit|comparison))-\w+/g, "$1-N"],
];
const comparable = (text: string): string =>
  substitutes.reduce((result, [pattern, substitute]) => result.replaceAll(pattern, substitute), text);

/** Output in which both programs have one name. */
const comparableOutput = (text: string): string => comparable(text).replaceAll(/\borrery\b/gi, "kubectl");

/** A value with its keys in the order of the alphabet. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sorted(each)]));
}

/** All objects of a server, by path, as comparable text. */
export async function objectsOf({ kinds, inProcess }: TestServer): Promise<ReadonlyMap<string, string>> {
  const objects = new Map<string, string>();
  for (const kind of kinds.all().filter(isStored)) {
    const { items } = await inProcess.list<ApiObject>(kind);
    for (const item of items) {
      const { namespace = "", name } = item.metadata;
      const path = [kind.plural, namespace, name].filter((part) => part !== "").join("/");
      objects.set(path, comparable(JSON.stringify(sorted(item), undefined, 1)));
    }
  }
  return objects;
}

/** The objects that differ between two moments; a deleted one has the text `deleted`. */
export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const changed = [...after].filter(([path, text]) => before.get(path) !== text);
  const deleted = [...before.keys()].filter((path) => !after.has(path)).map((path) => [path, "deleted"] as const);
  return new Map([...changed, ...deleted]);
}

/** Whether two outcomes are the same, part by part. */
export const agreementOf = (a: Outcome, b: Outcome): Agreement => ({
  code: a.code === b.code,
  objects: JSON.stringify([...a.changes]) === JSON.stringify([...b.changes]),
  output: comparableOutput(a.out) === comparableOutput(b.out) && comparableOutput(a.err) === comparableOutput(b.err),
});

/** The lines in which two outcomes differ, for a failed test: `-` is the first's. */
export function differences(a: Outcome, b: Outcome): readonly string[] {
  const linesOf = ({ code, out, err, changes }: Outcome): readonly string[] => [
    `exit code ${code}`,
    ...comparableOutput(out).split("\n"),
    ...comparableOutput(err)
      .split("\n")
      .map((line) => `! ${line}`),
    ...[...changes].flatMap(([path, text]) => text.split("\n").map((line) => `${path}: ${line}`)),
  ];
  const [first, second] = [linesOf(a), linesOf(b)];
  const found = [
    ...first.filter((line) => !second.includes(line)).map((line) => `- ${line}`),
    ...second.filter((line) => !first.includes(line)).map((line) => `+ ${line}`),
  ];
  if (found.length > 0) return found;
  const from = first.findIndex((line, i) => line !== second[i]);
  return [`- ${first[from]}`, `+ ${second[from]}`];
}
