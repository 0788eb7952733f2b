// The encryption configuration in a file, read again when it changes: keys are rotated while servers run.
import { readFileSync } from "node:fs";
import type { World } from "../../../machinery/world.ts";
import { type EncryptionConfiguration, readEncryptionConfiguration } from "./configuration.ts";
import { type Encryption, encryption } from "./transformer.ts";

/** Where the configuration is, and whether changes of it are followed. */
export interface EncryptionFile {
  readonly path: string;
  readonly isReloaded: boolean;
}

/** How long a change of the file may go unnoticed. A value that cannot be read makes it read at once. */
const pollMs = 5_000;
/** Values that cannot be read do not make it read more often than this. */
const leastMs = 500;

/** Reads the configuration of a path. Throws with the path. */
export function readEncryptionFile(path: string, text = readFileSync(path, "utf8")): EncryptionConfiguration {
  try {
    return readEncryptionConfiguration(text);
  } catch (e) {
    throw new Error(`the encryption configuration ${path} cannot be used: ${(e as Error).message}`);
  }
}

/** The encryption that a file configures, until the signal aborts. Throws when the file cannot be used at first. */
export function fileEncryption({ path, isReloaded }: EncryptionFile, world: World, signal: AbortSignal): Encryption {
  let text = readFileSync(path, "utf8");
  let readAt = world.clock.now();
  /** The configuration, if it is another than before. A file that cannot be used changes nothing. */
  const changed = (): EncryptionConfiguration | undefined => {
    try {
      readAt = world.clock.now();
      const current = readFileSync(path, "utf8");
      if (current === text) return undefined;
      text = current;
      const configuration = readEncryptionFile(path, current);
      world.log("the encryption configuration has changed", { path });
      return configuration;
    } catch (e) {
      world.log("the changed encryption configuration is not used", { path, error: (e as Error).message });
      return undefined;
    }
  };
  const renew = (): EncryptionConfiguration | undefined =>
    isReloaded && world.clock.now() - readAt >= leastMs ? changed() : undefined;
  const encrypting = encryption(readEncryptionFile(path, text), world.log, renew);
  const follow = async (): Promise<void> => {
    while (!signal.aborted) {
      await world.clock.sleep(pollMs, signal).catch(() => {});
      const configuration = signal.aborted ? undefined : changed();
      if (configuration) encrypting.use(configuration);
    }
  };
  if (isReloaded) void follow();
  return encrypting;
}
