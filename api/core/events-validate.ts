// What can be wrong with an event. The core group asks little of it; events.k8s.io asks more, and calls some fields by
// other names, yet speaks of what is wrong in the words of the core group.
import type { CoreV1Event } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName, validateSubdomainName } from "../names.ts";
import { invalid, required, together, unchanged } from "../problems.ts";

const longest = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

const inNamespace = (event: Draft<CoreV1Event>, where: readonly string[]): readonly Problem[] => {
  const { namespace = "" } = event.involvedObject ?? {};
  const own = event.metadata.namespace ?? "";
  const fits = namespace === "" ? where.includes(own) : own === namespace;
  return fits ? [] : [invalid("involvedObject.namespace", namespace, "does not match event.namespace")];
};

/** Who reports an event is a field of two names. */
type Reporter = "reportingComponent" | "reportingController";

function validateNew(event: Draft<CoreV1Event>, reporter: Reporter): readonly Problem[] {
  const { reportingComponent: who = "", involvedObject } = event;
  const home = involvedObject?.namespace ? [] : inNamespace(event, ["default", "kube-system"]);
  return together(
    home,
    who === "" && required(reporter),
    validateQualifiedName(who, reporter),
    Object.entries(longest).flatMap(([field, most]) => {
      const text = (event[field as keyof typeof longest] ?? "") as string;
      return together(
        text === "" && field !== "message" && required(field),
        text.length > most && invalid(field, "", `can have at most ${most} characters`),
      );
    }),
  );
}

/** What every event has to keep to. An event with an exact time is one of the new sort. */
export const validateEvent = (
  event: Draft<CoreV1Event>,
  reporter: Reporter = "reportingComponent",
): readonly Problem[] =>
  together(
    event.eventTime === undefined ? inNamespace(event, ["", "default"]) : validateNew(event, reporter),
    validateSubdomainName(event.metadata.namespace, "namespace"),
  );

function validateSeries({ series }: Draft<CoreV1Event>): readonly Problem[] {
  if (!series) return [];
  return together(
    (series.count ?? 0) < 2 && invalid("series.count", "", "should be at least 2"),
    series.lastObservedTime === undefined && required("series.lastObservedTime"),
  );
}

const isSet = (value: unknown): boolean => value !== undefined && value !== 0;
const deprecated = ["firstTimestamp", "lastTimestamp", "count"] as const;

/** What a new event of events.k8s.io has to keep to. */
export function validateNewEvent(event: Draft<CoreV1Event>): readonly Problem[] {
  const { type = "", source } = event;
  return together(
    validateEvent(event, "reportingController"),
    validateSeries(event),
    type !== "Normal" && type !== "Warning" && invalid("type", "", `has invalid value: ${type}`),
    deprecated.filter((field) => isSet(event[field])).map((field) => invalid(field, "", "needs to be unset")),
    (source?.component || source?.host) && invalid("source", "", "needs to be unset"),
  );
}

const fixed = [
  "involvedObject",
  "reason",
  "message",
  "source",
  "firstTimestamp",
  "lastTimestamp",
  "count",
  "type",
  "eventTime",
  "action",
  "related",
  "reportingInstance",
] as const;

/** Of an event of events.k8s.io that exists, only the series goes on. */
export function validateEventChange(event: Draft<CoreV1Event>, old: CoreV1Event): readonly Problem[] {
  return together(
    validateEvent(event, "reportingController"),
    JSON.stringify(event.series) !== JSON.stringify(old.series) && validateSeries(event),
    fixed.flatMap((field) => unchanged(event[field], old[field], field)),
    unchanged(event.reportingComponent, old.reportingComponent, "reportingController"),
  );
}
