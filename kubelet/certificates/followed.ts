// A certificate that another process of the node renews: its file is read again from time to time.
import type { World } from "../../machinery/world.ts";
import type { Pair } from "./certificate-file.ts";
import { type CertificateOptions, usablePair } from "./rotation.ts";

/** While there is none, the other process has just requested it. */
const missingPauseMs = 1_000;
/** A certificate is renewed when at least a tenth of its life is left, and none is shorter than ten minutes. */
const pauseMs = 30_000;

/** A pair that follows its file. */
export interface FollowedCertificate {
  readonly current: () => Pair;
  /** Follows until the signal aborts. */
  run(): Promise<void>;
}

/** Waits until there is a pair in the file, or else the initial one. Rejects when the signal aborts before. */
export async function followedCertificate(
  source: Pick<CertificateOptions, "file" | "initial">,
  { clock }: Pick<World, "clock">,
  signal: AbortSignal,
): Promise<FollowedCertificate> {
  const read = (): Promise<Pair | undefined> => usablePair(source, clock.now());
  let found = await read();
  for (; !found; found = await read()) await clock.sleep(missingPauseMs, signal);
  let pair = found;
  return {
    current: () => pair,
    async run() {
      for (;;) {
        await clock.sleep(pauseMs, signal).catch(() => {});
        if (signal.aborted) return;
        const next = await read();
        // The same object as long as it is the same pair: clients compare by identity.
        if (next && next.cert !== pair.cert) pair = next;
      }
    },
  };
}
