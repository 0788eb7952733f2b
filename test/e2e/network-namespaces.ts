// A node's network in the kernel without a node: a network namespace that routes between others, one for each address.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { runTool } from "../../network/command.ts";
import type { Command, Result } from "./probe.ts";

/** Without the number, which {@link KernelNetwork} gives. */
type Request<C = Command> = C extends Command ? Omit<C, "id"> : never;

export interface KernelNetwork {
  /** Runs a tool in the namespace that routes. */
  readonly run: typeof runTool;
  /** Carries out a command in the namespace of an address, or in the one that routes: `node`. */
  ask(from: string, request: Request): Promise<boolean>;
  /** Removes everything that was made. */
  remove(): Promise<void>;
}

const ip = (...args: readonly string[]): Promise<string> => runTool("ip", args);

async function addPod(router: string, pod: string, link: string, addresses: readonly string[]): Promise<void> {
  await ip("netns", "add", pod);
  await ip("link", "add", link, "netns", router, "type", "veth", "peer", "name", "eth0", "netns", pod);
  await ip("-n", router, "link", "set", link, "up");
  await ip("-n", router, "address", "add", "169.254.1.1/32", "dev", link);
  await ip("-n", router, "address", "add", "fe80::1/64", "dev", link, "nodad");
  await ip("-n", pod, "link", "set", "lo", "up");
  await ip("-n", pod, "link", "set", "eth0", "up");
  await ip("-n", pod, "route", "add", "169.254.1.1", "dev", "eth0");
  await ip("-n", pod, "route", "add", "default", "via", "169.254.1.1");
  await ip("-n", pod, "-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0");
  for (const address of addresses) {
    const v6 = address.includes(":");
    await ip("-n", pod, "address", "add", `${address}/${v6 ? 128 : 32}`, "dev", "eth0", ...(v6 ? ["nodad"] : []));
    await ip("-n", router, "route", "add", `${address}/${v6 ? 128 : 32}`, "dev", link);
  }
}

function prober(pod: string, ports: readonly number[]) {
  const script = join(import.meta.dirname, "probe.ts");
  const child: ChildProcess = spawn("ip", ["netns", "exec", pod, process.execPath, script, ports.join()], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const waiting = new Map<number, (passes: boolean) => void>();
  let last = 0;
  child.on("message", ({ id, passes }: Result) => {
    waiting.get(id)?.(passes);
    waiting.delete(id);
  });
  return {
    ready: once(child, "message"),
    ask: (request: Request): Promise<boolean> =>
      new Promise((resolve) => {
        waiting.set(++last, resolve);
        child.send({ ...request, id: last });
      }),
    async end() {
      const ended = once(child, "exit");
      child.disconnect();
      await ended;
    },
  };
}

/** Makes the namespaces; each pod has the addresses of one entry, and serves the ports over TCP and UDP. */
export async function kernelNetwork(
  pods: readonly (readonly string[])[],
  ports: readonly number[],
): Promise<KernelNetwork> {
  const router = `orrery-test-${process.pid}`;
  await ip("netns", "add", router);
  const run: typeof runTool = (tool, args, input) => runTool("ip", ["netns", "exec", router, tool, ...args], input);
  for (const setting of ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"])
    await run("sysctl", ["-qw", `${setting}=1`]);
  const probers = new Map([["node", prober(router, ports)]]);
  await probers.get("node")!.ready;
  for (const [i, addresses] of pods.entries()) {
    await addPod(router, `${router}-${i}`, `pod${i}`, addresses);
    const own = prober(`${router}-${i}`, ports);
    await own.ready;
    for (const address of addresses) probers.set(address, own);
  }
  return {
    run,
    ask: (from, request) => probers.get(from)!.ask(request),
    async remove() {
      await Promise.all([...new Set(probers.values())].map((one) => one.end()));
      for (const name of [...pods.keys()].map((i) => `${router}-${i}`)) await ip("netns", "delete", name);
      await ip("netns", "delete", router);
    },
  };
}
