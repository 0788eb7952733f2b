// The container runtime port over Docker.
import type Docker from "dockerode";
import { RuntimeRefused, type ContainerRuntime, type ContainerSpec, type SandboxSpec } from "../runtime.ts";
import { engineCall, engineClient, hasStatus, asRuntimeError } from "./engine.ts";
import { rmdir, stat } from "node:fs/promises";
import type { World } from "../../machinery/world.ts";
import { usageOfProcess } from "../cgroup.ts";
import { canMountRecursivelyReadOnly, detectCapabilities } from "./capabilities.ts";
import {
  containerOptions,
  type Engine,
  fitsPool,
  limitsHost,
  sandboxOptions,
  engineName,
  sandboxContainerName,
} from "./create-options.ts";
import { mountImage } from "./image-mounts.ts";
import { imageStatus, listImages, pull } from "./images.ts";
import { dockerInventory } from "./inventory.ts";
import { readEvents, readLogs, openAttach, openExec, runCommand } from "./streams.ts";
import { connectInside } from "./pod-socket.ts";
import { sandboxPool } from "./pool.ts";

interface DockerOptions {
  readonly socket: string;
  /** The address of a registry that serves images of others; it is asked first. */
  readonly registry?: string;
  readonly nodeName: string;
  readonly pauseImage: string;
}

/** Creates a container under a deterministic name, so that a repeated request finds the first one's. */
async function createOnce(docker: Docker, name: string, options: Docker.ContainerCreateOptions): Promise<string> {
  try {
    return (await docker.createContainer(options)).id;
  } catch (e) {
    if (!hasStatus(e, 409)) throw asRuntimeError(e);
    const existing = await engineCall(() => docker.getContainer(name).inspect(), 404);
    if (existing === undefined) throw asRuntimeError(e);
    return existing.Id;
  }
}

async function removeCgroups(parent: string): Promise<void> {
  const roots = ["", "/cpu", "/cpuacct", "/cpuset", "/memory", "/pids", "/blkio", "/devices", "/freezer"];
  const more = ["/systemd", "/unified", "/hugetlb", "/net_cls", "/net_prio", "/perf_event", "/rdma", "/misc"];
  // Most of these do not exist on a machine; a busy one is removed with the next pod.
  for (const root of [...roots, ...more]) await rmdir(`/sys/fs/cgroup${root}${parent}`).catch(() => {});
}

/** The client's types omit the option `size` and what it adds. */
const withSize: object = { size: true };
type SizedInfo = Docker.ContainerInspectInfo & { readonly SizeRw?: number };

async function diskUsage(docker: Docker, id: string): Promise<number | undefined> {
  const inspect = (): Promise<SizedInfo> => docker.getContainer(id).inspect(withSize);
  const info = await engineCall(inspect, 404);
  if (info === undefined) return undefined;
  const log = await stat(info.LogPath).catch(() => undefined);
  return (info.SizeRw ?? 0) + (log?.size ?? 0);
}

/** Detects the engine's capabilities at the first use; after a failure they are detected again. */
function detectEngine(docker: Docker, options: DockerOptions): () => Promise<Engine> {
  let detected: Promise<Engine> | undefined;
  return () => {
    detected ??= detectCapabilities(docker).then((capabilities) => ({ ...options, capabilities }));
    detected.catch(() => {
      detected = undefined;
    });
    return detected;
  };
}

/** Docker 20.10 and newer, over its socket. */
export function dockerRuntime(options: DockerOptions, world: World): ContainerRuntime {
  const docker = engineClient(options.socket);
  const inventory = dockerInventory(docker, options.nodeName);
  const engine = detectEngine(docker, options);
  const start = async (id: string): Promise<void> =>
    void (await engineCall(() => docker.getContainer(id).start(), 304));
  const pool = sandboxPool(docker, world, inventory.pool, inventory.invalidate);
  const runSandbox = async (spec: SandboxSpec): Promise<string> => {
    const at = await engine();
    const name = engineName({ ...spec, container: sandboxContainerName });
    const ready = fitsPool(spec) ? await pool.take(name, at) : undefined;
    if (ready !== undefined) return ready;
    const id = await createOnce(docker, name, sandboxOptions(spec, at));
    await start(id);
    return id;
  };
  return {
    async info() {
      const version = (await engineCall(() => docker.version()))!;
      return { version: version.Version, recursiveReadOnlyMounts: canMountRecursivelyReadOnly(version) };
    },
    list: (podUid) => inventory.list(podUid),
    prepare: async () => pool.fillWhenQuiet(await engine()),
    runSandbox,
    create: async (spec: ContainerSpec) =>
      createOnce(docker, engineName({ ...spec, container: spec.name }), containerOptions(spec, await engine())),
    start,
    async resize(id, limits) {
      await engineCall(() => docker.getContainer(id).update(limitsHost(limits)));
      inventory.invalidate(id);
    },
    async stop(id, graceMs) {
      const seconds = Math.max(0, Math.ceil(graceMs / 1_000));
      // Docker responds with 404 for an unknown container and 304 for one that has ended.
      await engineCall(() => docker.getContainer(id).stop({ t: seconds }), 304, 404);
    },
    remove: async (id) =>
      void (await engineCall(() => docker.getContainer(id).remove({ force: true, v: true }), 404, 409)),
    forget: async (_pod, cgroupParent) => (cgroupParent === undefined ? undefined : removeCgroups(cgroupParent)),
    imageStatus: (image) => imageStatus(docker, image),
    images: () => listImages(docker),
    pull: (image, as) => pull(docker, options.registry, image, as),
    mountImage: (image, folder) => mountImage(docker, image, folder),
    logs: (id, options, signal) => readLogs(docker, id, options, signal),
    exec: (id, options) => openExec(docker, id, options),
    run: (id, command, timeoutMs, signal) => runCommand(docker, id, command, world.clock.sleep(timeoutMs, signal)),
    attach: (id, options) => openAttach(docker, id, options),
    async usage(id) {
      const pid = inventory.processOf(id);
      return pid === undefined ? undefined : usageOfProcess(pid);
    },
    diskUsage: (id) => diskUsage(docker, id),
    async connect(sandboxId, port, signal) {
      const info = await engineCall(() => docker.getContainer(sandboxId).inspect());
      if (!info?.State.Running) throw new RuntimeRefused("the pod's sandbox is not running");
      return connectInside(info.State.Pid, port, signal);
    },
    async *events(signal) {
      for await (const event of readEvents(docker, options.nodeName, signal)) {
        inventory.invalidate(event.id);
        yield event;
      }
    },
  };
}
