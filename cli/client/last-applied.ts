// The annotation with the last configuration of an object, which `kubectl apply` compares with the next one.
import { compactJson } from "../printers/json.ts";

/** The key of the annotation. */
export const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined };
}

/** What the object was last applied with, or undefined when it was not applied. */
export function lastAppliedOf({ metadata }: Annotated): Readonly<Record<string, unknown>> | undefined {
  const text = metadata.annotations?.[lastApplied];
  return text === undefined ? undefined : (JSON.parse(text) as Readonly<Record<string, unknown>>);
}

/** The configuration of an object as text, without the annotation itself. */
export function configurationText<T extends Annotated>(object: T): string {
  const { [lastApplied]: _, ...others } = object.metadata.annotations ?? {};
  const { annotations: __, ...metadata } = object.metadata;
  const annotations = Object.keys(others).length > 0 ? { annotations: others } : {};
  return `${compactJson({ ...object, metadata: { ...metadata, ...annotations } })}\n`;
}

/** The object with its own configuration as the annotation. */
export function withLastApplied<T extends Annotated>(object: T): T {
  const { [lastApplied]: _, ...annotations } = object.metadata.annotations ?? {};
  const bare = { ...object, metadata: { ...object.metadata, annotations } };
  const configuration = `${compactJson(bare)}\n`;
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...annotations, [lastApplied]: configuration } } };
}
