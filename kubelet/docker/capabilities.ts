// Detects the optional capabilities of the engine and the machine.
import { readFile } from "node:fs/promises";
import type Docker from "dockerode";
import type { EngineCapabilities } from "./create-options.ts";
import { engineCall } from "./engine.ts";

/** The name of the registered OCI runtime that sets a container's host name from its environment. */
const hostnameRuntimeName = "orrery";
const capSysResource = 24n;

/** Whether a container can have every Linux capability, from the text of `/proc/self/status`. Pure. */
export function mayPrivilege(status: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return bounding !== undefined && ((BigInt(`0x${bounding}`) >> capSysResource) & 1n) === 1n;
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
    cgroupParents: info.CgroupDriver === "cgroupfs",
    hostnameRuntime: info.Runtimes?.[hostnameRuntimeName] === undefined ? undefined : hostnameRuntimeName,
  };
}
