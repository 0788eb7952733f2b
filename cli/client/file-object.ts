// The objects of manifests as they are sent.
import { withLastApplied } from "./last-applied.ts";
import type { Manifest } from "./manifests.ts";
import type { Target } from "./targets.ts";

type FileObject = Manifest & { readonly metadata: { readonly resourceVersion?: string } };

/** The object of a manifest in its namespace. */
export function fileObject({ namespace, manifest }: Target): FileObject {
  const { object } = manifest!;
  return namespace === undefined ? object : { ...object, metadata: { ...object.metadata, namespace } };
}

/** The same, with its configuration in an annotation if the flags demand it. */
export const configuredObject = (target: Target, { saveConfig }: { readonly saveConfig?: boolean }): FileObject =>
  saveConfig ? withLastApplied(fileObject(target)) : fileObject(target);

/** An object as it is created: the version in a manifest is that of an earlier object. */
export const newObject = ({ metadata: { resourceVersion: _, ...metadata }, ...object }: FileObject): object => ({
  ...object,
  metadata,
});
