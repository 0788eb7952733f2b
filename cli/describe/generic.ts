// Describes objects of kinds without a layout of their own: all fields by name, with titles made of their names.
import type { ApiObject } from "../../api/meta.ts";
import { goText } from "../../api/jsonpath/go-text.ts";
import type { Describer } from "./describer.ts";
import { annotationLines, byKey, field, indented, type Lines, labelLines } from "./layout.ts";

type PlainObject = Readonly<Record<string, unknown>>;
const isMap = (value: unknown): value is PlainObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const acronyms = new Set(["API", "URL", "UID", "OSB", "GUID"]);

/** Where a new part begins: at a capital after a small letter, at the second of two capitals before one, at hyphens. */
const boundary = /(?<=\p{Ll})(?=\p{Lu})|(?<=(?<!\p{Lu})\p{Lu})(?=\p{Lu}\p{Ll})|(?<=-)(?=[^-])|(?<=[^-])(?=-)/gu;

/** `restartCount` becomes `Restart Count`; names with other characters than letters and hyphens stay as they are. */
export function titleOf(name: string): string {
  if (/[^\p{L}-]/u.test(name)) return name;
  return name
    .split(boundary)
    .map((part) => (acronyms.has(part.toUpperCase()) ? part.toUpperCase() : part[0]!.toUpperCase() + part.slice(1)))
    .join(" ");
}

/** Metadata that the head of the description has, or that nobody wants to read. */
const skipped = new Set(["managedFields", "name", "namespace", "labels", "annotations"]);

function itemLines(item: unknown): Lines {
  return isMap(item) ? contentLines(item) : [goText(item)];
}

const contentLines = (content: PlainObject): Lines =>
  byKey(content).flatMap(([name, value]) => {
    const title = titleOf(name);
    if (isMap(value)) return [`${title}:`, ...indented(contentLines(value))];
    if (Array.isArray(value)) return [`${title}:`, ...indented(value.flatMap(itemLines))];
    return [field(title, goText(value))];
  });

export const genericDescriber: Describer<ApiObject> = {
  lines: (object) => {
    const { metadata } = object;
    const ownMetadata = Object.fromEntries(Object.entries(metadata).filter(([name]) => !skipped.has(name)));
    return [
      field("Name", metadata.name),
      field("Namespace", metadata.namespace),
      ...labelLines("Labels", metadata.labels),
      ...annotationLines(metadata.annotations),
      ...contentLines({ ...object, metadata: ownMetadata }),
    ];
  },
};
