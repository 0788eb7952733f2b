// The annotation with the last configuration of an object, which `kubectl apply` compares with the next one.
import { compactJson } from "../printers/json.ts";

/** The key of the annotation. */
export const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

/** The object with its own configuration as the annotation. */
export function withLastApplied<T extends Annotated>(object: T): T {
  const { [lastApplied]: _, ...annotations } = object.metadata.annotations ?? {};
  const bare = { ...object, metadata: { ...object.metadata, annotations } };
  const configuration = `${compactJson(bare)}\n`;
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...annotations, [lastApplied]: configuration } } };
}
