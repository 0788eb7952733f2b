// Asks the engine and the machine what they can do, instead of assuming.
import { readFile } from "node:fs/promises";
import type Docker from "dockerode";
import type { EngineAbilities } from "./create-options.ts";
import { ask } from "./engine-error.ts";

/**
 * The OCI runtime, registered with the engine under this name, that sets a container's host name from its
 * environment.
 */
export const hostnameRuntimeName = "orrery";
const capSysResource = 24n;

/** From the text of `/proc/self/status`: could a container be given every capability? Pure. */
export function mayPrivilege(status: string): boolean {
  const bounding = /^CapBnd:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return bounding !== undefined && ((BigInt(`0x${bounding}`) >> capSysResource) & 1n) === 1n;
}

/** Which of the optional ways of doing things work here. */
export async function askAbilities(docker: Docker): Promise<EngineAbilities> {
  const info = (await ask(() => docker.info())) as {
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
