// The CSI drivers that are registered with the kubelet: those with a socket in its registration folder. A driver that
// is started again replaces its socket and is registered again.
import { watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Caller, connectTo, type RemoteService } from "../../../csi/protocol/grpc.ts";
import { type NodeCapability, nodeService } from "../../../csi/protocol/node.ts";
import { registrationService } from "../../../csi/protocol/registration.ts";
import { onAbort } from "../../../machinery/abort.ts";
import { newSignal, subscribe } from "../../../machinery/signal.ts";
import { backoff } from "../../../machinery/workqueue.ts";
import type { World } from "../../../machinery/world.ts";
import type { DriverOnNode } from "./csi-node.ts";

/** A driver that the kubelet can call. */
export interface CsiDriver {
  readonly name: string;
  readonly node: Caller<typeof nodeService>;
  readonly capabilities: ReadonlySet<NodeCapability>;
}
export interface CsiDrivers {
  get(name: string): CsiDriver | undefined;
  /** Follows the registration folder until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}
export interface DriverPorts {
  readonly world: World;
  readonly stateDir: string;
  /** Makes the driver known in the API. */
  readonly publish: (driver: DriverOnNode) => Promise<void>;
  readonly withdraw: (driver: string) => Promise<void>;
  /** A driver was registered, which pods may wait for. */
  readonly registered: () => void;
}

interface Registered extends CsiDriver {
  /** Differs between two sockets at one path. */
  readonly socket: string;
  readonly remote: RemoteService<typeof nodeService>;
}

/** Calls of the registration take milliseconds. */
const registrationTimeoutMs = 5_000;

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

/** Connects to a driver and makes it known in the API. */
async function connect(ports: DriverPorts, name: string, endpoint: string, socket: string): Promise<Registered> {
  const remote = connectTo(endpoint, nodeService, ports.world.clock);
  const options = { timeoutMs: registrationTimeoutMs };
  try {
    const { capabilities } = await remote.call.NodeGetCapabilities({}, options);
    const types = capabilities.flatMap(({ rpc }) => (rpc ? [rpc.type] : []));
    await ports.publish({ name, ...(await remote.call.NodeGetInfo({}, options)) });
    return { name, node: remote.call, capabilities: new Set(types), socket, remote };
  } catch (e) {
    remote.close();
    throw e;
  }
}

/** Registers the driver behind a socket; undefined for a plugin of another type. */
async function register(ports: DriverPorts, path: string, socket: string): Promise<Registered | undefined> {
  const registration = connectTo(path, registrationService, ports.world.clock);
  const options = { timeoutMs: registrationTimeoutMs };
  // A driver that ends before it is notified is registered until its socket is gone.
  const notify = (pluginRegistered: boolean, error = ""): Promise<unknown> =>
    registration.call.NotifyRegistrationStatus({ pluginRegistered, error }, options).catch(() => {});
  try {
    const { type, name, endpoint, supportedVersions } = await registration.call.GetInfo({}, options);
    if (type !== "CSIPlugin") return undefined;
    try {
      if (!supportedVersions.some((version) => /^v?1\./.test(version)))
        throw new Error(`CSI driver ${name} supports none of the versions of CSI that the kubelet speaks: 1.x`);
      const driver = await connect(ports, name, endpoint || path, socket);
      await notify(true);
      return driver;
    } catch (e) {
      await notify(false, (e as Error).message);
      throw e;
    }
  } finally {
    registration.close();
  }
}

/** The drivers of a node. */
export function csiDrivers(ports: DriverPorts): CsiDrivers {
  const { world, stateDir, withdraw } = ports;
  const folder = join(stateDir, "plugins_registry");
  /** By the path of the registration socket; undefined for plugins of other types. */
  const byPath = new Map<string, Registered | undefined>();
  const socketOf = new Map<string, string>();

  const remove = (path: string): void => {
    byPath.get(path)?.remote.close();
    byPath.delete(path);
    socketOf.delete(path);
  };
  /** Registers new sockets and forgets those that are gone. Fails when one could not be registered. */
  const scan = async (): Promise<void> => {
    const sockets = await socketsIn(folder);
    for (const [path, driver] of byPath)
      if (!sockets.has(path)) {
        if (driver) await withdraw(driver.name);
        remove(path);
      }
    const failures: Error[] = [];
    for (const [path, socket] of sockets) {
      if (socketOf.get(path) === socket) continue;
      try {
        const driver = await register(ports, path, socket);
        remove(path);
        byPath.set(path, driver);
        socketOf.set(path, socket);
        if (driver) ports.registered();
      } catch (e) {
        failures.push(e as Error);
      }
    }
    if (failures[0]) throw failures[0];
  };
  return {
    get: (name) => [...byPath.values()].find((driver) => driver?.name === name),
    async run(signal) {
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
        if (failures === 1 && !signal.aborted) world.log("CSI driver not registered", { error: error?.message });
        const retry = new AbortController();
        if (error !== undefined)
          world.clock.sleep(backoff(failures, 100, 5_000), retry.signal).then(changed.notify, () => {});
        await changes.next();
        retry.abort();
      }
      off();
      changes.close();
      for (const path of [...byPath.keys()]) remove(path);
    },
  };
}
