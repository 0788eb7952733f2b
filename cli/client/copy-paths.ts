// The paths of cp: what its arguments mean, and where the files of an archive go. Pure.
import { isAbsolute, join, posix, relative } from "node:path";
import { CliError } from "../cli-error.ts";

/** A file or folder, in a pod or here. */
export interface FileSpec {
  /** Undefined for the namespace of the command. */
  readonly namespace: string | undefined;
  /** Undefined for a local file. */
  readonly pod: string | undefined;
  readonly path: string;
}

const withoutSlash = (path: string): string => (path !== "/" && path.endsWith("/") ? path.slice(0, -1) : path);

/** Containers may have paths of Windows. */
const remotePath = (path: string): string => withoutSlash(path).replaceAll("\\", "/");

/** A path without `.`, `..` and double slashes where they can be resolved. */
const clean = (path: string): string => withoutSlash(posix.normalize(path));

/** Parses `[[namespace/]pod:]path`. Throws CliError in kubectl's words. */
export function fileSpec(text: string): FileSpec {
  const at = text.indexOf(":");
  if (at < 0) return { namespace: undefined, pod: undefined, path: withoutSlash(text) };
  const parts = text.slice(0, at).split("/");
  if (at === 0 || parts.length > 2)
    throw new CliError("filespec must match the canonical format: [[namespace/]pod:]file/path");
  const [pod, namespace] = parts.toReversed();
  return { namespace: namespace || undefined, pod: pod!, path: remotePath(text.slice(at + 1)) };
}

/** A copy to or from a pod. */
export interface Copy {
  readonly from: FileSpec;
  readonly to: FileSpec;
}

/** What to copy where. Throws CliError in kubectl's words. */
export function copyOf(args: readonly string[]): Copy {
  if (args.length !== 2) throw new CliError("source and destination are required");
  const [from, to] = args.map(fileSpec) as [FileSpec, FileSpec];
  if (from.pod && to.pod) throw new CliError("one of src or dest must be a local file specification");
  if (from.path === "" || to.path === "") throw new CliError("filepath can not be empty");
  if (!from.pod && !to.pod) throw new CliError("one of src or dest must be a remote file specification");
  return { from, to };
}

/** The path without leading `../`, and without a path that is only `.` or `..`. */
function withoutShortcuts(path: string): string {
  const rest = path.replace(/^(\.\.\/)+/, "");
  return rest === "." || rest === ".." ? "" : rest.replace(/^\//, "");
}

/** What the names in the archive of a remote path begin with. */
export const prefixOf = (path: string): string => withoutShortcuts(clean(path.replace(/^[/\\]+/, "")));

/**
 * Where a file of an archive goes: below the destination, or undefined when its name leads out of it. Throws CliError
 * for a name that tar would not have written for the prefix.
 */
export function placeOf(name: string, prefix: string, destination: string): string | undefined {
  if (!name.startsWith(prefix)) throw new CliError("tar contents corrupted");
  const place = withoutSlash(join(destination, remotePath(name.slice(prefix.length))));
  const way = relative(destination, place);
  return way === ".." || way.startsWith("../") || isAbsolute(way) ? undefined : place;
}

/** Where a local file goes in a pod: into the destination if that is a folder. */
export const remotePlace = (source: string, destination: string, isFolder: boolean): string =>
  clean(isFolder ? posix.join(destination, posix.basename(posix.normalize(source))) : destination);

/** The command that unpacks an archive from its standard input into a folder. */
export const unpackCommand = (folder: string, preserve: boolean): readonly string[] => [
  "tar",
  ...(preserve ? [] : ["--no-same-permissions", "--no-same-owner"]),
  "-xmf",
  "-",
  "-C",
  folder,
];

/** The command that writes an archive to its standard output, from this byte on. */
export function packCommand(path: string, skippedBytes: number): readonly string[] {
  if (skippedBytes === 0) return ["tar", "cf", "-", path];
  return ["sh", "-c", `tar cf - '${path.replaceAll("'", `'\\''`)}' | tail -c+${skippedBytes + 1}`];
}
