// What can be wrong with a file that is made of a field of the pod.
import type { DownwardAPIVolumeFile } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { invalid, none, required, together } from "../../problems.ts";
import { fieldsOfFiles, validateFieldRef, validateResourceRef } from "./downward.ts";
import { fileMode, projectedPath } from "../../paths.ts";

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
