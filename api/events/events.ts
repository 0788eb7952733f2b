// Event of events.k8s.io: stored as an event of the core group, with other names for some fields.
import type { CoreV1Event, EventsV1Event } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { events } from "../core/events.ts";
import { validateEventChange, validateNewEvent } from "../core/events-validate.ts";

/** Fields that have another name in the core group. */
const names = {
  note: "message",
  regarding: "involvedObject",
  reportingController: "reportingComponent",
  deprecatedCount: "count",
  deprecatedFirstTimestamp: "firstTimestamp",
  deprecatedLastTimestamp: "lastTimestamp",
  deprecatedSource: "source",
} as const;
const coreNames: ReadonlyMap<string, string> = new Map(Object.entries(names));
const newNames: ReadonlyMap<string, string> = new Map(Object.entries(names).map(([name, core]) => [core, name]));

const renamed = (object: object, by: ReadonlyMap<string, string>): object =>
  Object.fromEntries(Object.entries(object).map(([field, value]) => [by.get(field) ?? field, value]));

/** The event with the names of the core group. */
export const toCore = (event: Draft<EventsV1Event>): Draft<CoreV1Event> =>
  ({ involvedObject: {}, ...renamed(event, coreNames), apiVersion: "v1" }) as Draft<CoreV1Event>;

/** The inverse of {@link toCore}. */
export const fromCore = (event: CoreV1Event): EventsV1Event =>
  ({ ...renamed(event, newNames), apiVersion: "events.k8s.io/v1" }) as EventsV1Event;

const regarding = ["kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath"];

export const eventsV1 = define<EventsV1Event>({
  group: "events.k8s.io",
  kind: "Event",
  shortNames: ["ev"],
  scope: "Namespaced",
  allowCreateOnUpdate: true,
  form: {
    of: events,
    fields: {
      reportingController: "reportingComponent",
      ...Object.fromEntries(regarding.map((field) => [`regarding.${field}`, `involvedObject.${field}`])),
    },
    toStored: (draft) => toCore(draft as Draft<EventsV1Event>) as Draft<ApiObject>,
    fromStored: (object) => fromCore(object as CoreV1Event),
  },
  validate: (event, old) =>
    old ? validateEventChange(toCore(event), toCore(old) as CoreV1Event) : validateNewEvent(toCore(event)),
  columns: events.columns.map((column) => ({
    ...column,
    cell: (event, now) => column.cell(toCore(event) as CoreV1Event, now),
  })),
});
