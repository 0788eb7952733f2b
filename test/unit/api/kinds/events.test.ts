// Events of both versions.
import { expect, test } from "vitest";
import type { CoreV1Event, EventsV1Event } from "../../../../api/generated/types.ts";
import { events } from "../../../../api/core/events.ts";
import { eventsV1, toCore, fromCore } from "../../../../api/events/events.ts";
import { instant } from "../../../../api/meta.ts";
import { stored, changes, refuses } from "./validation-cases.ts";

const regarding = { kind: "Pod", namespace: "default", name: "web" };
const at = "2026-01-01T00:00:00.000000Z";
const complete = {
  action: "Binding",
  eventTime: at,
  note: "it went well",
  reason: "Scheduled",
  regarding,
  reportingController: "example.com/scheduler",
  reportingInstance: "one",
  type: "Normal",
};

refuses(events, [
  [
    "an event in another namespace",
    { involvedObject: { ...regarding, namespace: "other" } },
    'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
  ],
]);
refuses(eventsV1, [
  ["an event without a time", { ...complete, eventTime: undefined }, "eventTime: Required value"],
  [
    "an event without a reporter",
    { ...complete, reportingController: undefined },
    "reportingController: Required value",
    "reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
  ],
  [
    "an event of an unknown type",
    { ...complete, type: "Rumour" },
    'type: Invalid value: "": has invalid value: Rumour',
  ],
  [
    "an event with a deprecated count",
    { ...complete, deprecatedCount: 2 },
    'count: Invalid value: "": needs to be unset',
  ],
  [
    "a series with a count of one",
    { ...complete, series: { count: 1, lastObservedTime: at } },
    'series.count: Invalid value: "": should be at least 2',
  ],
  [
    "a note that is too long",
    { ...complete, note: "a".repeat(1025) },
    'message: Invalid value: "": can have at most 1024 characters',
  ],
]);
changes(eventsV1, [
  ["the series can change", complete, { ...complete, series: { count: 2, lastObservedTime: at } }],
  [
    "the note cannot change",
    complete,
    { ...complete, note: "it did not" },
    'message: Invalid value: "it did not": field is immutable',
  ],
]);

test("an event of both versions is the same object", () => {
  const event = stored(eventsV1, complete);
  expect(fromCore(toCore(event) as CoreV1Event)).toEqual(event);
  expect(toCore(event)).toMatchObject({ apiVersion: "v1", involvedObject: regarding, message: "it went well" });
});

test("both versions of an event print the same columns", () => {
  const now = instant(Date.parse("2026-01-01T00:00:05Z"));
  const event = stored(eventsV1, complete) as EventsV1Event;
  const row = eventsV1.columns.map((c) => c.cell(event, now));
  expect(row).toEqual([
    "5s",
    "Normal",
    "Scheduled",
    "pod/web",
    "",
    "example.com/scheduler, one",
    "it went well",
    "5s",
    1,
    "a",
  ]);
  expect(events.columns.map((c) => c.cell(toCore(event) as CoreV1Event, now))).toEqual(row);
});
