// Event: a report of something that happened to an object; expires after an hour.
import type { CoreV1Event } from "../generated/types.ts";
import { define } from "../kinds.ts";
import { since } from "../columns.ts";
import { validateEvent } from "./events-validate.ts";

export type { CoreV1Event } from "../generated/types.ts";

/** The first and last occurrence; a series has its own last time. */
const firstSeen = (e: CoreV1Event): string | undefined => e.firstTimestamp ?? e.eventTime;
const lastSeen = (e: CoreV1Event): string | undefined =>
  e.series ? e.series.lastObservedTime : (e.lastTimestamp ?? firstSeen(e));

const object = ({ involvedObject: { kind = "", name = "" } }: CoreV1Event): string =>
  name === "" ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`;
const source = (e: CoreV1Event): string =>
  [e.source?.component || e.reportingComponent, e.source?.host || e.reportingInstance]
    .filter((part) => part !== undefined && part !== "")
    .join(", ");

const objectFields = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"] as const;

export const events = define<CoreV1Event>({
  group: "",
  kind: "Event",
  shortNames: ["ev"],
  scope: "Namespaced",
  nameFormat: "any",
  allowCreateOnUpdate: true,
  validate: (event) => validateEvent(event),
  selectable: {
    ...Object.fromEntries(
      objectFields.map((field) => [`involvedObject.${field}`, (e: CoreV1Event) => e.involvedObject[field] ?? ""]),
    ),
    reason: (e) => e.reason ?? "",
    reportingComponent: (e) => e.reportingComponent ?? "",
    source: (e) => e.source?.component || (e.reportingComponent ?? ""),
    type: (e) => e.type ?? "",
  },
  columns: [
    { name: "Last Seen", cell: (e, now) => since(lastSeen(e), now) },
    { name: "Type", cell: (e) => e.type ?? "" },
    { name: "Reason", cell: (e) => e.reason ?? "" },
    { name: "Object", cell: object },
    { name: "Subobject", priority: 1, cell: (e) => e.involvedObject.fieldPath ?? "" },
    { name: "Source", priority: 1, cell: source },
    { name: "Message", cell: (e) => (e.message ?? "").trim() },
    { name: "First Seen", priority: 1, cell: (e, now) => since(firstSeen(e), now) },
    { name: "Count", priority: 1, cell: (e) => (e.series ? (e.series.count ?? 0) : e.count || 1) },
    { name: "Name", priority: 1, format: "name", cell: (e) => e.metadata.name },
  ],
});
