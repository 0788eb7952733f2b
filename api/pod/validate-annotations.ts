// What can be wrong with the notes on a pod or on a template of pods.
import type { Problem } from "../errors.ts";
import { validateQualifiedName } from "../names.ts";
import { tooLong } from "../problems.ts";

const mostBytes = 256 * 1024;

/** Keys are qualified names, in whatever case; all of it together must not be too long. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
): readonly Problem[] {
  const all = Object.entries(annotations ?? {});
  const size = all.reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return [
    ...all.flatMap(([key]) => validateQualifiedName(key.toLowerCase(), path)),
    ...(size > mostBytes ? [tooLong(path, mostBytes)] : []),
  ];
}
