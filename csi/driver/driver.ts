// A CSI driver: its three services on a unix socket, and its registration with the kubelet on another.
import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { onAbort } from "../../machinery/abort.ts";
import type { World } from "../../machinery/world.ts";
import { controllerService } from "../protocol/controller.ts";
import { type Listening, implement, listen } from "../protocol/grpc.ts";
import { identityService } from "../protocol/identity.ts";
import { nodeService } from "../protocol/node.ts";
import { registrationService } from "../protocol/registration.ts";
import type { DriverContext } from "./context.ts";
import { controllerHandlers } from "./controller-service.ts";
import { identityHandlers } from "./identity-service.ts";
import { linuxMounts } from "./mounts.ts";
import { nodeHandlers } from "./node-service.ts";
import type { DriverProfile } from "./profile.ts";
import { serial } from "../../machinery/serial.ts";
import { openStore } from "./volume-store.ts";

export interface DriverOptions {
  readonly profile: DriverProfile;
  readonly node: string;
  /** The folder of volumes and snapshots. */
  readonly root: string;
  readonly socketPath: string;
  /** A socket in the kubelet's registration folder. Without it the driver serves alone. */
  readonly registrationSocketPath?: string;
}

const socketsOf = ({ socketPath, registrationSocketPath }: DriverOptions): readonly string[] => [
  socketPath,
  ...(registrationSocketPath === undefined ? [] : [registrationSocketPath]),
];

/** Serves until the signal aborts. Sockets of a process that was killed are replaced. */
export async function runDriver(options: DriverOptions, world: World, signal: AbortSignal): Promise<void> {
  const { profile, node, socketPath, registrationSocketPath } = options;
  const mounts = linuxMounts();
  const store = await openStore(options.root, node);
  const backing = profile.backing[(await mounts.hasLoopDevices()) ? "withLoopDevices" : "without"];
  const context: DriverContext = { profile, store, mounts, node, backing, serial: serial(), clock: world.clock };
  await mounts.thaw();
  for (const path of socketsOf(options)) {
    await mkdir(dirname(path), { recursive: true });
    await rm(path, { force: true });
  }
  const listening: Listening[] = [
    await listen(socketPath, [
      implement(identityService, identityHandlers(profile)),
      implement(controllerService, controllerHandlers(context)),
      implement(nodeService, nodeHandlers(context)),
    ]),
  ];
  if (registrationSocketPath !== undefined) {
    const handlers = implement(registrationService, {
      GetInfo: async () => ({
        type: "CSIPlugin",
        name: profile.name,
        endpoint: socketPath,
        supportedVersions: ["1.0.0"],
      }),
      NotifyRegistrationStatus: async ({ pluginRegistered, error }) => {
        world.log(pluginRegistered ? "registered" : "not registered", { driver: profile.name, error });
        return {};
      },
    });
    listening.push(await listen(registrationSocketPath, [handlers]));
  }
  world.log("serving", { driver: profile.name, socket: socketPath, backing });
  await new Promise<void>((resolve) => onAbort(signal, resolve));
  for (const server of listening) server.close();
}
