// The privileges a node container can have on this machine, and the `docker run` flags that grant them.
import { readFile } from "node:fs/promises";

/** "full": `docker run --privileged` works. "fallback": all capabilities by name, except the missing one. */
export type Privileges = "full" | "fallback";

/** Derived from /proc/self/status and cap_last_cap: whether the bounding set lacks a capability. */
export const privilegesFrom = (status: string, lastCapability: string): Privileges => {
  const bounding = /^CapBnd:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  const last = Number.parseInt(lastCapability, 10);
  if (bounding === undefined || Number.isNaN(last)) return "full";
  const every = (1n << BigInt(last + 1)) - 1n;
  return (BigInt(`0x${bounding}`) & every) === every ? "full" : "fallback";
};

/** The privileges of containers on this machine, as far as it can be known; the engine may still refuse. */
export const localPrivileges = async (): Promise<Privileges> => {
  if (process.platform !== "linux") return "full";
  const files = ["/proc/self/status", "/proc/sys/kernel/cap_last_cap"];
  const [status, last] = await Promise.all(files.map((file) => readFile(file, "utf8")));
  // The bounding set of a user without root is not that of the engine.
  return process.getuid?.() === 0 ? privilegesFrom(status!, last!) : "full";
};

/** Whether an engine's error is about privileges it cannot grant, so that the fallback may work. */
export const isAboutPrivileges = (stderr: string): boolean =>
  /unable to apply caps|operation not permitted|capabilit/i.test(stderr);

/** The flags of `docker run` for a node container. */
export const privilegeFlags = (privileges: Privileges): readonly string[] =>
  privileges === "full"
    ? ["--privileged"]
    : [
        ...["--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE"],
        ...["--security-opt", "seccomp=unconfined", "--security-opt", "systempaths=unconfined"],
        ...["--security-opt", "apparmor=unconfined", "--device-cgroup-rule", "a *:* rwm"],
      ];
