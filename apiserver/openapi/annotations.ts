// Descriptions, enums and defaults of the published types, written at set-up. Read for each set of documents and then
// released, to save memory.
import { readFile } from "node:fs/promises";

/** What is said of a field or a type beside its shape. */
export interface Annotation {
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly default?: unknown;
}
interface AnnotatedType extends Annotation {
  readonly fields: Readonly<Record<string, Annotation>>;
}
/** Everything that is said, by published name, and what query parameters mean. */
export interface Annotations {
  readonly types: Readonly<Record<string, AnnotatedType>>;
  readonly parameters: Readonly<Record<string, string>>;
}

const file = new URL("../../api/generated/annotations.json", import.meta.url);

export const readAnnotations = async (): Promise<Annotations> => JSON.parse(await readFile(file, "utf8"));
