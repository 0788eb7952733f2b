// Texts, values and defaults as they were written down at set-up. They are read when somebody asks for a document and
// let go of with it: a server that nobody asks carries none of them.
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
