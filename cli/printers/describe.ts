// Formats all fields of an object for people: metadata, spec, status, then events.
import { age } from "../../api/age.ts";
import type { CoreV1Event } from "../../api/generated/types.ts";
import { instantOf, type ApiObject, type Instant } from "../../api/meta.ts";
import { textTable } from "./table.ts";

/** `podIPs` becomes `Pod IPs`, `restartCount` becomes `Restart Count`. */
const title = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").replace(/^./, (c) => c.toUpperCase());
const isMap = (v: unknown): v is Readonly<Record<string, unknown>> =>
  typeof v === "object" && v !== null && !Array.isArray(v);
const isPlain = (v: unknown): boolean => typeof v !== "object" || v === null;
const isEmpty = (v: unknown): boolean => (Array.isArray(v) ? v.length === 0 : isMap(v) && Object.keys(v).length === 0);

const indented = (text: string, indent: string): readonly string[] => text.split("\n").map((line) => indent + line);

function conditionsTable(list: readonly Readonly<Record<string, unknown>>[], indent: string): readonly string[] {
  const rows = list.map((c) => ["type", "status", "reason", "message"].map((name) => String(c[name] ?? "")));
  return indented(textTable(["Type", "Status", "Reason", "Message"], rows), indent);
}

function item(value: unknown, indent: string): readonly string[] {
  if (!isMap(value)) return [`${indent}${String(value)}`];
  const name = value["name"] ?? value["type"];
  if (typeof name !== "string") return lines(value, indent);
  const { name: _, ...rest } = value;
  return [`${indent}${name}:`, ...lines(value["name"] === undefined ? value : rest, `${indent}  `)];
}

function lines(value: Readonly<Record<string, unknown>>, indent: string): readonly string[] {
  return Object.entries(value).flatMap(([name, v]): readonly string[] => {
    if (v === undefined || isEmpty(v)) return [];
    const head = `${indent}${title(name)}:`;
    const aligned = head.padEnd(Math.max(head.length + 1, indent.length + 18));
    if (isPlain(v)) return [aligned + String(v)];
    if (Array.isArray(v)) {
      if (v.every(isPlain)) return [aligned + v.join(", ")];
      if (name === "conditions")
        return [head, ...conditionsTable(v as readonly Readonly<Record<string, unknown>>[], `${indent}  `)];
      return [head, ...v.flatMap((x) => item(x, `${indent}  `))];
    }
    return [head, ...lines(v as Readonly<Record<string, unknown>>, `${indent}  `)];
  });
}

const pairs = (
  name: string,
  map: Readonly<Record<string, string>> | undefined,
  separator: string,
): readonly string[] => {
  const entries = Object.entries(map ?? {}).filter(([k]) => k !== "kubectl.kubernetes.io/last-applied-configuration");
  if (entries.length === 0) return [`${`${name}:`.padEnd(18)}<none>`];
  return entries.map(([k, v], i) => `${(i === 0 ? `${name}:` : "").padEnd(18)}${k}${separator}${v}`);
};

/** When an event last occurred. */
export const lastSeen = (e: CoreV1Event): Instant =>
  instantOf(e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp);

/** `5m (x3)`: the age of an event's last occurrence, and the number of occurrences. */
export const eventAge = (e: CoreV1Event, now: Instant): string =>
  age(lastSeen(e), now) + ((e.count ?? 1) > 1 ? ` (x${e.count})` : "");

/** The events of an object, oldest first. */
function eventsTable(events: readonly CoreV1Event[], now: Instant): string {
  const rows = events
    .toSorted((a, b) => lastSeen(a) - lastSeen(b))
    .map((e) => [
      e.type ?? "",
      e.reason ?? "",
      eventAge(e, now),
      e.source?.component ?? e.reportingComponent ?? "",
      e.message ?? "",
    ]);
  return textTable(["Type", "Reason", "Age", "From", "Message"], rows);
}

/** All fields of an object, and its events. */
export function describe(object: ApiObject, events: readonly CoreV1Event[], now: Instant): string {
  const { apiVersion: _, kind: __, metadata, ...rest } = object as ApiObject & Readonly<Record<string, unknown>>;
  const owner = metadata.ownerReferences?.find((r) => r.controller);
  const eventLines = ["Events:", ...indented(eventsTable(events, now), "  ")];
  return [
    `${"Name:".padEnd(18)}${metadata.name}`,
    ...(metadata.namespace === undefined ? [] : [`${"Namespace:".padEnd(18)}${metadata.namespace}`]),
    ...pairs("Labels", metadata.labels, "="),
    ...pairs("Annotations", metadata.annotations, ": "),
    `${"Created:".padEnd(18)}${metadata.creationTimestamp} (${age(instantOf(metadata.creationTimestamp), now)} ago)`,
    ...(metadata.deletionTimestamp === undefined
      ? []
      : [`${"Being deleted:".padEnd(18)}since ${metadata.deletionTimestamp}`]),
    ...(owner ? [`${"Controlled by:".padEnd(18)}${owner.kind}/${owner.name}`] : []),
    ...lines(rest, ""),
    ...(events.length === 0 ? ["Events:           <none>"] : eventLines),
  ].join("\n");
}
