// One at a time: a file that says which process is at work, so that two commands do not do the same thing twice.
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../machinery/world.ts";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Not allowed to signal it means that it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

const tryToTake = async (file: string): Promise<boolean> => {
  try {
    const handle = await open(file, "wx");
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  }
};

/** Runs `work` while nobody else holds `file`; a lock whose holder has died is taken over. */
export const withLock = async <T>(file: string, clock: Clock, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(file), { recursive: true });
  while (!(await tryToTake(file))) {
    const holder = Number(await readFile(file, "utf8").catch(() => ""));
    // An empty file is a holder that has not yet written who it is.
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
    else await clock.sleep(100);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
};
