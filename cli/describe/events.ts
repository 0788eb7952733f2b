// The events at the end of a description.
import type { CoreV1Event } from "../../api/generated/types.ts";
import { type ApiObject, type Instant, instantOf } from "../../api/meta.ts";
import type { Reader } from "./describer.ts";
import { field, indented, type Lines, since, table } from "./layout.ts";

const mirror = "kubernetes.io/config.mirror";

/** The uids by which events refer to an object: the kubelet uses the name of its node, and the hash of static pods. */
const uidsOf = ({ kind, metadata }: ApiObject): readonly string[] =>
  kind === "Node" ? [metadata.uid, metadata.name] : [metadata.annotations?.[mirror] ?? metadata.uid];

/** Reads the events about an object. */
export async function eventsOf(object: ApiObject, api: Reader): Promise<readonly CoreV1Event[]> {
  const { kind, metadata } = object;
  const scope = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
  const events = await Promise.all(
    uidsOf(object).map((uid) => {
      const fields = {
        "involvedObject.name": metadata.name,
        "involvedObject.namespace": metadata.namespace ?? "",
        "involvedObject.kind": kind,
        "involvedObject.uid": uid,
      };
      const fieldSelector = Object.entries(fields)
        .map(([name, value]) => `${name}=${value}`)
        .join(",");
      return api.list<CoreV1Event>(`/api/v1${scope}/events?${new URLSearchParams({ fieldSelector })}`);
    }),
  );
  return events.flat();
}

/** kubectl sorts by this field only; events of series have none and come first. */
const lastTime = (e: CoreV1Event): number => (e.lastTimestamp ? instantOf(e.lastTimestamp) : 0);

/** `5m (x3 over 10m)`. */
export function intervalText(e: CoreV1Event, now: Instant): string {
  const first = since(e.eventTime ?? e.firstTimestamp ?? undefined, now);
  if (e.series) return `${since(e.series.lastObservedTime, now)} (x${e.series.count} over ${first})`;
  return (e.count ?? 1) > 1 ? `${since(e.lastTimestamp, now)} (x${e.count} over ${first})` : first;
}

/** Events, oldest first. */
export function eventLines(events: readonly CoreV1Event[], now: Instant): Lines {
  if (events.length === 0) return [field("Events", "<none>")];
  const rows = events
    .toSorted((a, b) => lastTime(a) - lastTime(b))
    .map((e) => [
      e.type ?? "",
      e.reason ?? "",
      intervalText(e, now),
      (e.source?.component || e.reportingComponent) ?? "",
      (e.message ?? "").trim(),
    ]);
  const rule = ["----", "------", "----", "----", "-------"];
  return ["Events:", ...indented(table(["Type", "Reason", "Age", "From", "Message"], rows, rule))];
}
