// Validation of events. events.k8s.io/v1 requires more than v1, and renames some fields; its messages name those of v1.
import type { CoreV1Event } from "../generated/types.ts";
import type { Problem } from "../errors.ts";
import type { Draft } from "../meta.ts";
import { validateQualifiedName, validateSubdomainName } from "../names.ts";
import { invalid, required, together, unchanged } from "../problems.ts";

const maxLengths = { reportingInstance: 128, action: 128, reason: 128, message: 1024 } as const;

const inNamespace = (event: Draft<CoreV1Event>, where: readonly string[]): readonly Problem[] => {
  const { namespace = "" } = event.involvedObject ?? {};
  const own = event.metadata.namespace ?? "";
  const fits = namespace === "" ? where.includes(own) : own === namespace;
  return fits ? [] : [invalid("involvedObject.namespace", namespace, "does not match event.namespace")];
};

/** The field of the reporting controller, whose name depends on the version. */
type Reporter = "reportingComponent" | "reportingController";

function validateNew(event: Draft<CoreV1Event>, reporter: Reporter): readonly Problem[] {
  const { reportingComponent = "", involvedObject } = event;
  const home = involvedObject?.namespace ? [] : inNamespace(event, ["default", "kube-system"]);
  return together(
    home,
    reportingComponent === "" && required(reporter),
    validateQualifiedName(reportingComponent, reporter),
    Object.entries(maxLengths).flatMap(([field, most]) => {
      const text = (event[field as keyof typeof maxLengths] ?? "") as string;
      return together(
        text === "" && field !== "message" && required(field),
        text.length > most && invalid(field, "", `can have at most ${most} characters`),
      );
    }),
  );
}

/** Validates an event of either version; one with `eventTime` follows the newer rules. */
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

/** Validates a new event of events.k8s.io. */
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

/** Validates an update of an event of events.k8s.io: only the series can change. */
export function validateEventChange(event: Draft<CoreV1Event>, old: CoreV1Event): readonly Problem[] {
  return together(
    validateEvent(event, "reportingController"),
    JSON.stringify(event.series) !== JSON.stringify(old.series) && validateSeries(event),
    fixed.flatMap((field) => unchanged(event[field], old[field], field)),
    unchanged(event.reportingComponent, old.reportingComponent, "reportingController"),
  );
}
