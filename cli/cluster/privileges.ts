// How much a container may do on this machine: everything, or everything but what the machine itself was denied.
import { readFile } from "node:fs/promises";

/** "full" means `docker run --privileged` works; "fallback" asks for all of them by name, less the missing one. */
export type Privileges = "full" | "fallback";

/** Read from /proc/self/status and /proc/sys/kernel/cap_last_cap: is any capability missing for good? */
export const privilegesFrom = (status: string, lastCapability: string): Privileges => {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const last = Number.parseInt(lastCapability, 10);
  if (bounding === undefined || Number.isNaN(last)) return "full";
  const every = (1n << BigInt(last + 1)) - 1n;
  return (BigInt(`0x${bounding}`) & every) === every ? "full" : "fallback";
};

/** What this machine seems to let a container do; its engine may still refuse. */
export const localPrivileges = async (): Promise<Privileges> => {
  if (process.platform !== "linux") return "full";
  const files = ["/proc/self/status", "/proc/sys/kernel/cap_last_cap"];
  const [status, last] = await Promise.all(files.map((file) => readFile(file, "utf8")));
  // A user without root says nothing about what the engine may do.
  return process.getuid?.() === 0 ? privilegesFrom(status!, last!) : "full";
};

/** Whether an engine's refusal is about powers it cannot hand out, so that the other way is worth trying. */
export const isAboutPrivileges = (stderr: string): boolean =>
  /unable to apply caps|operation not permitted|capabilit/i.test(stderr);

/** The flags of `docker run` that let a container be a machine. */
export const privilegeFlags = (privileges: Privileges): readonly string[] =>
  privileges === "full"
    ? ["--privileged"]
    : [
        ...["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"],
        ...["--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"],
        ...["--security-opt", "apparmor=unconfined", "--device-cgroup-rule", "a *:* rwm"],
      ];
