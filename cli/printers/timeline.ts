// Prints what objects went through: a line per change, with who changed which fields, and per event.
import type { FieldChange, HistoryItem } from "../../api/explanation/history.ts";
import { visible } from "./table.ts";

export interface TimelineOptions {
  /** All fields with their values and the revisions, instead of the first fields of each change. */
  readonly isWide: boolean;
}

/** So many fields of a change are shown. */
const mostFields = 3;
const longest = 40;

const text = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
const shortened = (value: unknown, isWide: boolean): string => {
  const full = text(value);
  return isWide || full.length <= longest ? full : `${full.slice(0, longest)}...`;
};

/** `spec.replicas: 1 -> 3`, `metadata.labels.app: + web`, `- web`. */
function fieldText({ path, ...change }: FieldChange, isWide: boolean): string {
  const { before, after } = change;
  if (!("before" in change)) return `${path}: + ${shortened(after, isWide)}`;
  if (!("after" in change)) return `${path}: - ${shortened(before, isWide)}`;
  return `${path}: ${shortened(before, isWide)} -> ${shortened(after, isWide)}`;
}

/** What is desired comes first, then what is reported, then what is only counted. */
const rank = ({ path }: FieldChange): number =>
  path === "metadata.generation" || path === "status.observedGeneration" ? 2 : path.startsWith("status") ? 1 : 0;

function detail({ event, changes }: HistoryItem, { isWide }: TimelineOptions): string {
  if (event) {
    const times = event.count > 1 ? ` (${event.count} times)` : "";
    return visible(`${event.type} ${event.reason}: ${event.message.trim()}${times}`);
  }
  const fields = changes.toSorted((a, b) => rank(a) - rank(b));
  const shown = isWide ? fields : fields.slice(0, mostFields);
  const left = fields.length - shown.length;
  const more = left > 0 ? [`${left} more`] : [];
  return visible([...shown.map((change) => fieldText(change, isWide)), ...more].join("; "));
}

const words = { ADDED: "created", MODIFIED: "changed", DELETED: "deleted" } as const;

export const timelineHeader = ({ isWide }: TimelineOptions): readonly string[] => [
  ...["TIME", ...(isWide ? ["REVISION"] : []), "OBJECT", "WHAT", "WHO", "DETAILS"],
];

/** The cells of an item. An event is of the object that it is about. */
export function timelineRow(item: HistoryItem, options: TimelineOptions): readonly string[] {
  const { event, object, type, manager, time, revision } = item;
  return [
    options.isWide ? time : time.slice(11, 19),
    ...(options.isWide ? [String(revision)] : []),
    event ? event.regarding : `${object.kind}/${object.name}`,
    event ? "event" : words[type],
    (event ? (event.source ?? manager) : manager) ?? "",
    detail(item, options),
  ];
}
