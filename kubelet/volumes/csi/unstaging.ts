// Unmounts staged volumes from the node once no pod has them. After a failure it is attempted again, also when the pod
// that had the volume last is gone.
import { existsSync } from "node:fs";
import { abortedWith } from "../../../machinery/abort.ts";
import type { Serial } from "../../../machinery/serial.ts";
import type { World } from "../../../machinery/world.ts";
import { volumeBackoff } from "../volume-backoff.ts";
import type { CsiDriver } from "./drivers.ts";
import { allStaged, holdersOf, type Provided, removeRecord, stagedFolder, stagingTargetOf } from "./records.ts";

interface UnstagingPorts {
  readonly world: World;
  readonly stateDir: string;
  /** Throws for a driver that is not registered. */
  readonly driverOf: (volume: Provided) => CsiDriver;
  readonly keyFor: (volume: Provided) => string;
  /** Runs calls for one volume one at a time. */
  readonly oneAtATime: Serial;
}
export interface Unstaging {
  /**
   * Unmounts the volume from the node unless a pod has it; a failure leads to another attempt. To be called while no
   * other call for the volume is made.
   */
  unstage(volume: Provided): Promise<void>;
  /** Attempts it for every staged volume that does not wait for another attempt. */
  unstageAll(): Promise<void>;
  /** Attempts at once what waits, since its driver may have been started again. */
  retry(): void;
}

async function unstageIfUnused({ stateDir, driverOf }: UnstagingPorts, volume: Provided): Promise<void> {
  const folder = stagedFolder(stateDir, volume);
  if (!existsSync(folder) || (await holdersOf(stateDir, volume)).length > 0) return;
  const stagingTargetPath = stagingTargetOf(stateDir, volume);
  await driverOf(volume).node.NodeUnstageVolume({ volumeId: volume.volumeHandle, stagingTargetPath });
  await removeRecord(folder, stagingTargetPath);
}

/** A volume that could not be unmounted, until the next attempt. */
interface Waiting {
  readonly volume: Provided;
  readonly endWait: () => void;
}

/** Attempts end with the signal. */
export function unstaging(ports: UnstagingPorts, signal: AbortSignal): Unstaging {
  const { world, stateDir, keyFor, oneAtATime } = ports;
  const failures = new Map<string, number>();
  const waiting = new Map<string, Waiting>();
  const attempt = (volume: Provided): Promise<void> => oneAtATime(keyFor(volume), () => unstage(volume));

  const attemptLater = (volume: Provided, ms: number): void => {
    const wait = abortedWith(signal);
    waiting.set(keyFor(volume), { volume, endWait: wait.end });
    world.clock.sleep(ms, wait.signal).then(
      () => attempt(volume),
      () => {},
    );
  };
  const unstage = async (volume: Provided): Promise<void> => {
    const key = keyFor(volume);
    waiting.get(key)?.endWait();
    waiting.delete(key);
    try {
      await unstageIfUnused(ports, volume);
      failures.delete(key);
    } catch (e) {
      if (signal.aborted) return;
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      world.log("volume not unstaged", { volume: key, error: (e as Error).message });
      attemptLater(volume, volumeBackoff(count));
    }
  };
  return {
    unstage,
    async unstageAll() {
      const staged = (await allStaged(stateDir)).map(({ record }) => record);
      await Promise.all(staged.filter((volume) => !waiting.has(keyFor(volume))).map(attempt));
    },
    retry() {
      for (const { volume } of [...waiting.values()]) void attempt(volume);
    },
  };
}
