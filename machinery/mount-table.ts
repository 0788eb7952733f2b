// The mount table of this process, as the kernel shows it. Source: proc(5), `/proc/PID/mountinfo`.
import { readFile } from "node:fs/promises";

export interface MountEntry {
  /** What is mounted: the device and the folder in it. Places that show the same have the same. */
  readonly content: string;
  readonly target: string;
  /** `/dev/loop0`, for example. */
  readonly source: string;
}

// Octal escapes, as the kernel writes spaces in paths.
const unescaped = (path: string): string =>
  path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** The entries in the text of `/proc/self/mountinfo`, oldest first; a target appears once for each mount on it. */
export const mountEntries = (text: string): readonly MountEntry[] =>
  text.split("\n").flatMap((line) => {
    const [own = "", rest = ""] = line.split(" - ");
    const [, , device, root, target] = own.split(" ");
    const [, source] = rest.split(" ");
    if (target === undefined || source === undefined) return [];
    return [{ content: `${device} ${root}`, target: unescaped(target), source: unescaped(source) }];
  });

/** The entries at this moment. */
export const mountTable = async (): Promise<readonly MountEntry[]> =>
  mountEntries(await readFile("/proc/self/mountinfo", "utf8"));

/** The mount points at and below a folder, innermost first. Pure. */
export const mountsBelow = (entries: readonly MountEntry[], folder: string): readonly string[] =>
  entries
    .map(({ target }) => target)
    .filter((target) => target === folder || target.startsWith(`${folder}/`))
    .toReversed();
