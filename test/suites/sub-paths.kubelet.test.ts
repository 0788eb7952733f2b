// Sub-paths of a volume that a container changes while they are mounted: it never gets what is outside of the volume.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Unmet } from "../../kubelet/podspec/references.ts";
import { withSubPath } from "../../kubelet/volumes/sub-path.ts";
import { type SubPathMount, subPathMounts } from "../../kubelet/volumes/sub-path-mounts.ts";
import { removePodFolder } from "../../kubelet/volumes/volumes.ts";
import { mountEntries, mountsBelow } from "../../machinery/mount-table.ts";
import { canMount, unmountedSubPaths } from "./sub-paths.ts";

let folder: string;
let volume: string;
let outside: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-sub-paths-"));
  [volume, outside] = [join(folder, "volume"), join(folder, "outside")];
  for (const path of [join(volume, "a/b"), join(outside, "b")]) mkdirSync(path, { recursive: true });
  writeFileSync(join(volume, "a/b/file"), "inside");
  writeFileSync(join(outside, "b/file"), "outside");
});
afterEach(async () => {
  await removePodFolder(folder, "p");
  rmSync(folder, { recursive: true });
});

const at: SubPathMount = { podUid: "p", volume: "v", container: "c", index: 0 };
const mounted = (): readonly string[] =>
  mountsBelow(mountEntries(readFileSync("/proc/self/mountinfo", "utf8")), folder);
const show = (subPath: string, mounts = subPathMounts(folder)): Promise<string> =>
  withSubPath(volume, subPath, "it", (opened) => mounts.mount(opened, at));

/** Replaces the folder `a` of the volume by a link to the outside, or puts it back. */
function swap(): void {
  const [a, kept] = [join(volume, "a"), join(volume, "kept")];
  if (existsSync(kept)) {
    // A folder that the check has made meanwhile is removed as well.
    do rmSync(a, { recursive: true, force: true });
    while (!renamedOnto(kept, a));
    return;
  }
  // The link is named by a rename, which replaces it in one step; the check may have made a folder where there was
  // neither.
  const link = join(volume, "link");
  symlinkSync(outside, link);
  renameSync(a, kept);
  while (!renamedOnto(link, a)) rmSync(a, { recursive: true });
}
/** False when there is a folder. */
function renamedOnto(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (e) {
    if (["EISDIR", "ENOTEMPTY"].includes((e as NodeJS.ErrnoException).code ?? "")) return false;
    throw e;
  }
}

test("a folder that becomes a link to the outside at any moment of the check shows the inside or nothing", async () => {
  const outcomes = new Set<string>();
  for (let attempt = 0; attempt < 300; attempt++) {
    let isDone = false;
    // Between any two steps of the check, after another number of them in each attempt.
    const swaps = (async () => {
      for (let step = 0; !isDone; step++) {
        if ((step + attempt) % 3 === 0) swap();
        await nextTurn();
      }
    })();
    const found = await show("a/b/new", unmountedSubPaths)
      .catch((e: unknown) => {
        if (e instanceof Unmet) return "refused";
        throw e;
      })
      .finally(() => {
        isDone = true;
      });
    await swaps;
    outcomes.add(found.startsWith(`${volume}/`) ? "inside" : found);
    expect(existsSync(join(outside, "b/new"))).toBe(false);
    for (const a of ["a", "kept"]) rmSync(join(volume, a, "b/new"), { recursive: true, force: true });
  }
  expect([...outcomes].toSorted()).toEqual(["inside", "refused"]);
});

describe.runIf(canMount)("a mounted sub-path", () => {
  test("is what was checked, also when its folder has become a link to the outside since", async () => {
    const target = await withSubPath(volume, "a/b", "it", (opened) => {
      swap();
      return subPathMounts(folder).mount(opened, at);
    });
    expect(readFileSync(join(target, "file"), "utf8")).toBe("inside");
  });

  test("may be a file, and stays the same for every run of its container", async () => {
    const target = await show("a/b/file");
    expect(readFileSync(target, "utf8")).toBe("inside");
    expect(await show("a/b/file")).toBe(target);
    expect(mounted()).toEqual([target]);
  });

  test("follows what is there now: another folder, a file instead of a folder, a folder instead of a file", async () => {
    for (const make of [mkdirSync, (path: string) => writeFileSync(path, ""), mkdirSync]) {
      const path = join(volume, "replaced");
      rmSync(path, { recursive: true, force: true });
      make(path);
      const target = await show("replaced");
      expect(statSync(target).ino).toBe(statSync(path).ino);
      expect(mounted()).toEqual([target]);
    }
  });

  test("is unmounted with the others of its pod, and the volume keeps its files", async () => {
    for (const index of [0, 1])
      await withSubPath(volume, "a/b", "it", (opened) => subPathMounts(folder).mount(opened, { ...at, index }));
    expect(mounted()).toHaveLength(2);
    await subPathMounts(folder).unmountAll("p");
    expect(mounted()).toEqual([]);
    await removePodFolder(folder, "p");
    expect(existsSync(join(folder, "pods/p"))).toBe(false);
    expect(readFileSync(join(volume, "a/b/file"), "utf8")).toBe("inside");
  });
});
