// Validation of relative paths, projected files and file modes.
import type { Problem } from "./errors.ts";
import { invalid, none, together } from "./problems.ts";

/** A path without `..`. */
export const withoutBacksteps = (path: string, at: string): readonly Problem[] =>
  path.includes("..") && path.split("/").includes("..") ? [invalid(at, path, "must not contain '..'")] : none;

/** A relative path without `..`. */
export const relativePath = (path: string, at: string): readonly Problem[] =>
  together(path.startsWith("/") && invalid(at, path, "must be a relative path"), withoutBacksteps(path, at));

/** A projected file; names that begin with two dots are reserved for the kubelet. */
export const projectedPath = (path: string, at: string): readonly Problem[] =>
  together(
    relativePath(path, at),
    path.startsWith("..") && !path.startsWith("../") && invalid(at, path, "must not start with '..'"),
  );

/** Permission bits. */
export const fileMode = (mode: number | undefined, at: string): readonly Problem[] =>
  mode === undefined || (mode >= 0 && mode <= 0o777)
    ? none
    : [invalid(at, mode, "must be a number between 0 and 0777 (octal), both inclusive")];
