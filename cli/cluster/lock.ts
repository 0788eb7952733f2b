// Locks between processes: a file that contains the process id of the holder.
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../machinery/world.ts";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // The process exists, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};

const tryLock = async (file: string): Promise<boolean> => {
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

/** Runs `work` while holding the lock `file`. The lock of a dead process is taken over. */
export const withLock = async <T>(file: string, clock: Clock, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(file), { recursive: true });
  while (!(await tryLock(file))) {
    const holder = Number(await readFile(file, "utf8").catch(() => ""));
    // An empty file: the holder has not written its id yet.
    if (holder > 0 && !isAlive(holder)) await rm(file, { force: true });
    else await clock.sleep(100);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
};
