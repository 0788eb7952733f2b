// Where files may go: paths that stay inside what they are relative to.
import type { Problem } from "./errors.ts";
import { invalid, none, together } from "./problems.ts";

export const withoutBacksteps = (path: string, at: string): readonly Problem[] =>
  path.includes("..") && path.split("/").includes("..") ? [invalid(at, path, "must not contain '..'")] : none;

/** A path below something. */
export const relativePath = (path: string, at: string): readonly Problem[] =>
  together(path.startsWith("/") && invalid(at, path, "must be a relative path"), withoutBacksteps(path, at));

/** A file that is projected: names that begin with two dots belong to the kubelet. */
export const projectedPath = (path: string, at: string): readonly Problem[] =>
  together(
    relativePath(path, at),
    path.startsWith("..") && !path.startsWith("../") && invalid(at, path, "must not start with '..'"),
  );

/** Who may do what with a file. */
export const fileMode = (mode: number | undefined, at: string): readonly Problem[] =>
  mode === undefined || (mode >= 0 && mode <= 0o777)
    ? none
    : [invalid(at, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
