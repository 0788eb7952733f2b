// The plugins that register with the kubelet: those with a socket in its registration folder. A plugin that is started
// again replaces its socket and is registered again. Source: the kubelet's plugin registration API.
import { watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { connectTo } from "../csi/protocol/grpc.ts";
import { registrationService } from "../csi/protocol/registration.ts";
import { onAbort } from "../machinery/abort.ts";
import { newSignal, subscribe } from "../machinery/signal.ts";
import { backoff } from "../machinery/workqueue.ts";
import type { World } from "../machinery/world.ts";

/** What a plugin says of itself. */
export interface PluginInfo {
  readonly name: string;
  /** The socket of its service. */
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}
/** A plugin that is registered. */
export interface RegisteredPlugin {
  /** Makes it unknown in the API, because its socket is gone. */
  withdraw(): Promise<void>;
  close(): void;
}
/** Registers plugins of one type; throws why the kubelet cannot use one. */
export type PluginHandler = (plugin: PluginInfo) => Promise<RegisteredPlugin>;

interface PluginPorts {
  readonly world: World;
  readonly stateDir: string;
  /** By the type of plugins; those of other types are ignored. */
  readonly handlers: Readonly<Record<string, PluginHandler>>;
  /** A plugin was registered, which pods may wait for. */
  readonly registered: () => void;
}

/** Calls of the registration take milliseconds. */
export const registrationTimeoutMs = 5_000;

/** The sockets in a folder: by path, what distinguishes one from an earlier one at the path. */
async function socketsIn(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(folder);
  const found = names.map(async (name): Promise<readonly (readonly [string, string])[]> => {
    const path = join(folder, name);
    const file = await stat(path).catch(() => undefined);
    return file?.isSocket() ? [[path, `${file.ino} ${file.ctimeMs}`]] : [];
  });
  return new Map((await Promise.all(found)).flat());
}

/** Registers the plugin behind a socket; undefined for one of another type. */
async function register({ world, handlers }: PluginPorts, path: string): Promise<RegisteredPlugin | undefined> {
  const registration = connectTo(path, registrationService, world.clock);
  const options = { timeoutMs: registrationTimeoutMs };
  // A plugin that ends before it is notified is registered until its socket is gone.
  const notify = (pluginRegistered: boolean, error = ""): Promise<unknown> =>
    registration.call.NotifyRegistrationStatus({ pluginRegistered, error }, options).catch(() => {});
  try {
    const { type, name, endpoint, supportedVersions } = await registration.call.GetInfo({}, options);
    const handler = Object.hasOwn(handlers, type) ? handlers[type] : undefined;
    if (!handler) return undefined;
    try {
      const plugin = await handler({ name, endpoint: endpoint || path, supportedVersions });
      await notify(true);
      return plugin;
    } catch (e) {
      await notify(false, (e as Error).message);
      throw e;
    }
  } finally {
    registration.close();
  }
}

/** Follows the registration folder until the signal aborts. */
export async function runPlugins(ports: PluginPorts, signal: AbortSignal): Promise<void> {
  const { world, stateDir } = ports;
  const folder = join(stateDir, "plugins_registry");
  /** By the path of the registration socket; undefined for plugins of other types. */
  const byPath = new Map<string, RegisteredPlugin | undefined>();
  const socketOf = new Map<string, string>();

  const remove = (path: string): void => {
    byPath.get(path)?.close();
    byPath.delete(path);
    socketOf.delete(path);
  };
  /** Registers new sockets and forgets those that are gone. Fails when one could not be registered. */
  const scan = async (): Promise<void> => {
    const sockets = await socketsIn(folder);
    for (const [path, plugin] of byPath)
      if (!sockets.has(path)) {
        await plugin?.withdraw();
        remove(path);
      }
    const failures: Error[] = [];
    for (const [path, socket] of sockets) {
      if (socketOf.get(path) === socket) continue;
      try {
        const plugin = await register(ports, path);
        remove(path);
        byPath.set(path, plugin);
        socketOf.set(path, socket);
        if (plugin) ports.registered();
      } catch (e) {
        failures.push(e as Error);
      }
    }
    if (failures[0]) throw failures[0];
  };
  await mkdir(folder, { recursive: true });
  const changed = newSignal();
  const watcher = watch(folder, changed.notify);
  const off = onAbort(signal, () => watcher.close());
  const changes = subscribe([changed], signal);
  let failures = 0;
  while (!signal.aborted) {
    const error = await scan().then(
      () => undefined,
      (e: Error) => e,
    );
    failures = error === undefined ? 0 : failures + 1;
    if (failures === 1 && !signal.aborted) world.log("plugin not registered", { error: error?.message });
    const retry = new AbortController();
    if (error !== undefined)
      world.clock.sleep(backoff(failures, 100, 5_000), retry.signal).then(changed.notify, () => {});
    await changes.next();
    retry.abort();
  }
  off();
  changes.close();
  for (const path of [...byPath.keys()]) remove(path);
}
