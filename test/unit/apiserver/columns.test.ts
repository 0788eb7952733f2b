// Table columns: descriptions from the schema, and row conditions.
import { expect, test } from "vitest";
import { builtinKinds } from "../../../api/builtin/kinds.ts";
import { pods } from "../../../api/core/pods.ts";
import { type ApiObject, instant } from "../../../api/meta.ts";
import { tableOf } from "../../../apiserver/response/table.ts";
import { columnFields } from "../../../cli/setup/column-fields.ts";

test("every described column is a column of its kind", () => {
  const headers = new Map(builtinKinds.map((r) => [`${r.kind}/${r.version}`, r.columns.map((column) => column.name)]));
  const known = (kind: string): readonly string[] =>
    [...headers].filter(([name]) => name.startsWith(`${kind}/`)).flatMap(([, names]) => names);
  const wrong = Object.entries(columnFields)
    .filter(([kind]) => kind !== "")
    .flatMap(([kind, columns]) => Object.keys(columns).map((header) => ({ kind, header })))
    .filter(({ kind, header }) => !known(kind).includes(header));
  expect(wrong).toEqual([]);
});

test("table columns have descriptions", () => {
  const options = { now: instant(0), include: "None", version: "v1", headers: true } as const;
  const table = tableOf(pods, [], {}, options) as { columnDefinitions: { name: string; description: string }[] };
  const text = (name: string): string => table.columnDefinitions.find((c) => c.name === name)!.description;
  expect(text("Name")).toMatch(/^Name must be unique within a namespace/);
  expect(text("IP")).toMatch(/IP address/);
  expect(text("Age")).toMatch(/^CreationTimestamp is a timestamp/);
});

test("rows of completed pods have a Completed condition", () => {
  const options = { now: instant(0), include: "None", version: "v1", headers: false } as const;
  const pod = (phase: string) =>
    ({ metadata: { name: phase }, spec: { containers: [] }, status: { phase } }) as unknown as ApiObject;
  const phases = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];
  const table = tableOf(pods, phases.map(pod), {}, options) as { rows: { conditions?: object[] }[] };
  const ended = { type: "Completed", status: "True" };
  expect(table.rows.map(({ conditions }) => conditions)).toEqual([
    ...[undefined, undefined],
    [{ ...ended, reason: "Succeeded", message: "The pod has completed successfully." }],
    [{ ...ended, reason: "Failed", message: "The pod failed." }],
    undefined,
  ]);
});
