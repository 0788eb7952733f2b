// What requests must say: required fields, capabilities that the driver has, sizes. Refusals have the codes of the CSI
// specification.
import { RpcError } from "../protocol/grpc.ts";
import type { VolumeCapability } from "../protocol/volumes.ts";
import type { DriverProfile } from "./profile.ts";
import type { Backing } from "./volume-store.ts";

/** Throws when one of the fields is empty. */
export function requireFields(fields: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(fields)) {
    const isEmpty =
      value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
    if (isEmpty) throw new RpcError("INVALID_ARGUMENT", `${name} is missing`);
  }
}

/** A driver, and how it keeps volumes on its node. */
export interface Served {
  readonly profile: DriverProfile;
  readonly backing: Backing;
}

/** Why the driver lacks a capability; undefined when it has it. */
export function unsupported(capability: VolumeCapability, { profile, backing }: Served): string | undefined {
  const { accessModes } = profile;
  if (!capability.block && !capability.mount) return "the capability names no access type";
  if (capability.block && backing === "folder")
    return profile.backing.withLoopDevices === "folder"
      ? "block volumes are not supported"
      : "block volumes need loop devices, which the node lacks";
  const fsType = capability.mount?.fsType ?? "";
  if (fsType !== "" && fsType !== "ext4") return `file system ${fsType} is not supported, only ext4`;
  const mode = capability.accessMode?.mode ?? "UNKNOWN";
  return accessModes.includes(mode) ? undefined : `access mode ${mode} is not supported`;
}

/** Throws for the first capability that the driver lacks. */
export function requireSupported(capabilities: readonly VolumeCapability[], served: Served): void {
  for (const capability of capabilities) {
    const reason = unsupported(capability, served);
    if (reason !== undefined) throw new RpcError("INVALID_ARGUMENT", reason);
  }
}

/** A range of sizes in bytes; a limit of 0 is none. */
export interface SizeRange {
  readonly requiredBytes: number;
  readonly limitBytes: number;
}
const anySize: SizeRange = { requiredBytes: 0, limitBytes: 0 };
const defaultBytes = 1024 ** 3;

/** The range of a request. Throws for one that no size is in. */
export function sizeRange(range: SizeRange | null): SizeRange {
  const { requiredBytes, limitBytes } = range ?? anySize;
  if (requiredBytes < 0 || limitBytes < 0) throw new RpcError("INVALID_ARGUMENT", "sizes cannot be negative");
  if (limitBytes > 0 && requiredBytes > limitBytes)
    throw new RpcError("INVALID_ARGUMENT", `at least ${requiredBytes} and at most ${limitBytes} bytes are required`);
  return { requiredBytes, limitBytes };
}

export const isWithin = (bytes: number, { requiredBytes, limitBytes }: SizeRange): boolean =>
  bytes >= requiredBytes && (limitBytes === 0 || bytes <= limitBytes);

/** The size of a new volume, which is at least that of what it is copied from. */
export function chosenSize(range: SizeRange, sourceBytes: number): number {
  const bytes = Math.max(range.requiredBytes || Math.min(defaultBytes, range.limitBytes || defaultBytes), sourceBytes);
  if (!isWithin(bytes, range))
    throw new RpcError("OUT_OF_RANGE", `the source has ${sourceBytes} bytes, more than the limit`);
  return bytes;
}

/** One page of a list. Tokens are positions. Throws Aborted for a token that this driver did not issue. */
export function page<T>(
  entries: readonly T[],
  { maxEntries, startingToken }: { readonly maxEntries: number; readonly startingToken: string },
): { readonly entries: readonly T[]; readonly nextToken: string } {
  if (maxEntries < 0) throw new RpcError("INVALID_ARGUMENT", "maxEntries cannot be negative");
  const from = startingToken === "" ? 0 : Number(startingToken);
  if (!Number.isInteger(from) || from < 0 || from > entries.length)
    throw new RpcError("ABORTED", `"${startingToken}" is not a token of this list; start again without one`);
  const to = maxEntries === 0 ? entries.length : Math.min(from + maxEntries, entries.length);
  return { entries: entries.slice(from, to), nextToken: to < entries.length ? String(to) : "" };
}
