// What can be wrong with a file that is made of something else: a key of a ConfigMap, or a field of the pod.
import type { DownwardAPIVolumeFile, KeyToPath } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { each, invalid, none, required, together } from "../../problems.ts";
import { fieldsOfFiles, validateFieldRef, validateResourceRef } from "./downward.ts";
import { fileMode, projectedPath } from "./paths.ts";

/** A key and the file it becomes. */
const validateItem = ({ key, mode, path: file }: KeyToPath, path: string): readonly Problem[] =>
  together(
    key ? none : [required(`${path}.key`)],
    file ? projectedPath(file, `${path}.path`) : [required(`${path}.path`)],
    fileMode(mode, `${path}.mode`),
  );
/** Keys and the files they become. */
export const validateItems = (items: readonly KeyToPath[] | undefined, path: string): readonly Problem[] =>
  each(items, `${path}.items`, validateItem);

/** What a pod is told about itself, and the file it finds it in. */
export function validateDownwardFile(file: DownwardAPIVolumeFile, path: string): readonly Problem[] {
  const { fieldRef, mode, resourceFieldRef } = file;
  return together(
    file.path ? projectedPath(file.path, `${path}.path`) : [required(`${path}.path`)],
    fieldRef ? validateFieldRef(fieldRef, fieldsOfFiles, `${path}.fieldRef`) : none,
    fieldRef && resourceFieldRef
      ? [invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously")]
      : none,
    !fieldRef && resourceFieldRef ? validateResourceRef(resourceFieldRef, true, `${path}.resourceFieldRef`) : none,
    fieldRef || resourceFieldRef ? none : [required(path, "one of fieldRef and resourceFieldRef is required")],
    fileMode(mode, `${path}.mode`),
  );
}
