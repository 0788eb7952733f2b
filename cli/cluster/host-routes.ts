// Blackhole routes on this machine for the pod and service ranges, so that stray packets do not leave it.
import { addresses } from "./config.ts";
import { nodeTag } from "./recipes.ts";
import { run } from "./subprocess.ts";

const ranges = [addresses.podRange, addresses.serviceRange] as const;
// A high metric: other routes to the same range take precedence.
const metric = "4278198272";

const isLocalRoot = process.platform === "linux" && process.getuid?.() === 0;

// Without root, through a container in the network of the engine's machine.
const ip = (...args: readonly string[]): Promise<string> =>
  isLocalRoot
    ? run(["ip", ...args])
    : run([
        ...["docker", "run", "--rm", "--network", "host", "--cap-add", "NET_ADMIN", "--entrypoint", "ip", nodeTag],
        ...args,
      ]);

const present = async (): Promise<readonly string[]> => {
  const routes = await ip("-4", "route", "show", "type", "blackhole");
  return ranges.filter((range) => routes.split("\n").some((line) => line.includes(range) && line.includes(metric)));
};

/** The routes of this machine, as `ip route show` prints them. */
export const hostRoutes = (): Promise<string> => ip("-4", "route", "show").catch(() => "");

/** Adds the missing blackhole routes. */
export const blackholeRanges = async (): Promise<void> => {
  const existing = await present();
  for (const range of ranges)
    if (!existing.includes(range)) await ip("route", "replace", "blackhole", range, "metric", metric);
};

/** Removes the blackhole routes. */
export const removeBlackholes = async (): Promise<void> => {
  for (const range of await present()) await ip("route", "del", "blackhole", range, "metric", metric);
};
