// Detects the optional capabilities of the engine and the machine.
import { readFile } from "node:fs/promises";
import type Docker from "dockerode";
import type { EngineCapabilities } from "./create-options.ts";
import { engineCall } from "./engine.ts";

/** The name of the registered OCI runtime that sets a container's host name from its environment. */
const hostnameRuntimeName = "orrery";
const capSysResource = 24n;

/** A part of what the engine says about its version. */
interface EngineVersion {
  readonly ApiVersion?: string;
  readonly KernelVersion?: string;
}

/** Whether a container can have every Linux capability, from the text of `/proc/self/status`. Pure. */
export function mayPrivilege(status: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return bounding !== undefined && ((BigInt(`0x${bounding}`) >> capSysResource) & 1n) === 1n;
}

/** Whether mounts can be recursively read-only: since API 1.44 (Docker 25), with Linux 5.12. Pure. */
export function canMountRecursivelyReadOnly({ ApiVersion, KernelVersion }: EngineVersion): boolean {
  const [api, kernel] = [ApiVersion, KernelVersion].map((text) => (text ?? "").split(/[.-]/).map(Number));
  const isSince = ([major = 0, minor = 0]: readonly number[], since: readonly [number, number]): boolean =>
    major > since[0] || (major === since[0] && minor >= since[1]);
  return isSince(api!, [1, 44]) && isSince(kernel!, [5, 12]);
}

/** Detects the capabilities of this engine and machine. */
export async function detectCapabilities(docker: Docker): Promise<EngineCapabilities> {
  const info = (await engineCall(() => docker.info())) as {
    readonly CgroupDriver?: string;
    readonly Runtimes?: Readonly<Record<string, unknown>>;
  };
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  return {
    privileged: mayPrivilege(status),
    recursiveReadOnlyMounts: canMountRecursivelyReadOnly((await engineCall(() => docker.version())) ?? {}),
    cgroupParents: info.CgroupDriver === "cgroupfs",
    hostnameRuntime: info.Runtimes?.[hostnameRuntimeName] === undefined ? undefined : hostnameRuntimeName,
  };
}
