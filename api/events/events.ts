// Event as events.k8s.io speaks of it: the same event, some of its fields by other names.
import type { CoreV1Event, EventsV1Event } from "../generated/types.ts";
import { define } from "../kinds.ts";
import type { ApiObject, Draft } from "../meta.ts";
import { events } from "../core/events.ts";
import { validateEventChange, validateNewEvent } from "../core/events-validate.ts";

/** What is called one thing in events.k8s.io and another in the core group. */
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
const newNames: ReadonlyMap<string, string> = new Map(Object.entries(names).map(([ours, core]) => [core, ours]));

const renamed = (object: object, by: ReadonlyMap<string, string>): object =>
  Object.fromEntries(Object.entries(object).map(([field, value]) => [by.get(field) ?? field, value]));

/** The event in the words of the core group. */
export const inCoreWords = (event: Draft<EventsV1Event>): Draft<CoreV1Event> =>
  ({ involvedObject: {}, ...renamed(event, coreNames), apiVersion: "v1" }) as Draft<CoreV1Event>;

/** Undo {@link inCoreWords}. */
export const inNewWords = (event: CoreV1Event): EventsV1Event =>
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
    toStored: (draft) => inCoreWords(draft as Draft<EventsV1Event>) as Draft<ApiObject>,
    fromStored: (object) => inNewWords(object as CoreV1Event),
  },
  validate: (event, old) =>
    old
      ? validateEventChange(inCoreWords(event), inCoreWords(old) as CoreV1Event)
      : validateNewEvent(inCoreWords(event)),
  columns: events.columns.map((column) => ({
    ...column,
    cell: (event, now) => column.cell(inCoreWords(event) as CoreV1Event, now),
  })),
});
