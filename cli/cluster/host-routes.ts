// Keeps packets for pods and services from leaving this machine when no node takes them.
import { addresses } from "./config.ts";
import { nodeTag } from "./recipes.ts";
import { run } from "./subprocess.ts";

const ranges = [addresses.podRange, addresses.serviceRange] as const;
// Any real route to the same range is preferred to ours.
const metric = "4278198272";

const isLocalRoot = process.platform === "linux" && process.getuid?.() === 0;

// Without root here, the engine's own machine is reached through a container in its network.
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

/** Destinations this machine already has routes to. */
export const hostRoutes = (): Promise<string> => ip("-4", "route", "show").catch(() => "");

/** Lays the blackhole routes that are missing. */
export const blackholeRanges = async (): Promise<void> => {
  const found = await present();
  for (const range of ranges)
    if (!found.includes(range)) await ip("route", "replace", "blackhole", range, "metric", metric);
};

/** Takes the blackhole routes away again. */
export const removeBlackholes = async (): Promise<void> => {
  for (const range of await present()) await ip("route", "del", "blackhole", range, "metric", metric);
};
