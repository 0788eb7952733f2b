// An object as a person reads it: names first, then what is wanted, then what is, then what happened.
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

function conditionsTable(list: readonly Readonly<Record<string, unknown>>[], indent: string): readonly string[] {
  const rows = list.map((c) => [
    String(c["type"]),
    String(c["status"]),
    String(c["reason"] ?? ""),
    String(c["message"] ?? ""),
  ]);
  return textTable(["Type", "Status", "Reason", "Message"], rows)
    .split("\n")
    .map((l) => indent + l);
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
    if (isPlain(v)) return [`${head.padEnd(Math.max(head.length + 1, indent.length + 18))}${String(v)}`];
    if (Array.isArray(v)) {
      if (v.every(isPlain)) return [`${head.padEnd(Math.max(head.length + 1, indent.length + 18))}${v.join(", ")}`];
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

const since = (e: CoreV1Event): Instant => instantOf(e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp);

/** The events of one object, oldest first. */
export function eventsTable(events: readonly CoreV1Event[], now: Instant): string {
  const rows = events
    .toSorted((a, b) => since(a) - since(b))
    .map((e) => [
      e.type ?? "",
      e.reason ?? "",
      `${age(since(e), now)}${(e.count ?? 1) > 1 ? ` (x${e.count})` : ""}`,
      e.source?.component ?? e.reportingComponent ?? "",
      e.message ?? "",
    ]);
  return textTable(["Type", "Reason", "Age", "From", "Message"], rows);
}

/** Everything there is to say about one object. */
export function describe(object: ApiObject, events: readonly CoreV1Event[], now: Instant): string {
  const { apiVersion: _, kind: __, metadata, ...rest } = object as ApiObject & Readonly<Record<string, unknown>>;
  const owner = metadata.ownerReferences?.find((r) => r.controller);
  const told =
    events.length === 0
      ? ["Events:           <none>"]
      : [
          "Events:",
          ...eventsTable(events, now)
            .split("\n")
            .map((l) => `  ${l}`),
        ];
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
    ...told,
  ].join("\n");
}
