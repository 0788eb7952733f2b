// A CSI driver for tests that registers with a kubelet: the product's own, with the mount table of the machine or, where
// root is not available, with one made of symbolic links. Calls can be held back, as when the caller is killed.
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmdirSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { DriverContext } from "../../csi/driver/context.ts";
import { controllerHandlers } from "../../csi/driver/controller-service.ts";
import { identityHandlers } from "../../csi/driver/identity-service.ts";
import type { Mounts } from "../../csi/driver/mounts.ts";
import { nodeHandlers } from "../../csi/driver/node-service.ts";
import { localDriver } from "../../csi/driver/profile.ts";
import { type Backing, openStore } from "../../csi/driver/volume-store.ts";
import { controllerService } from "../../csi/protocol/controller.ts";
import { connectTo, implement, type Listening, listen, type RemoteService } from "../../csi/protocol/grpc.ts";
import { identityService } from "../../csi/protocol/identity.ts";
import { nodeService } from "../../csi/protocol/node.ts";
import { registrationService } from "../../csi/protocol/registration.ts";
import { serial } from "../../machinery/serial.ts";
import { nodeName, world } from "./kubelet-stage.ts";

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;

/** Mounts that are symbolic links; they survive their process, as mounts do. */
export function linkedMounts(): Mounts {
  /** All links that were made. */
  const links = new Set<string>();
  const bind = async (source: string, target: string): Promise<void> => {
    if (isLink(target)) return;
    mkdirSync(dirname(target), { recursive: true });
    if (existsSync(target)) rmdirSync(target);
    symlinkSync(isLink(source) ? readlinkSync(source) : source, target);
    links.add(target);
  };
  const unmount = async (target: string): Promise<void> => rmSync(target, { force: true, recursive: !isLink(target) });
  return {
    isMounted: async (path) => isLink(path),
    deviceOf: async () => undefined,
    mountedFrom: async () => undefined,
    placesOf: async (path) =>
      [...links].filter((l) => l !== path && isLink(l) && readlinkSync(l) === readlinkSync(path)),
    hasLoopDevices: async () => false,
    bind,
    attachImage: bind,
    detachImage: (_, target) => unmount(target),
    flush: async () => {},
    readAhead: async () => {},
    growDevice: async () => {},
    prepareImage: async () => {},
    mountImage: () => Promise.reject(new Error("a link cannot show an image")),
    growImage: async () => {},
    frozen: (_, action) => action(),
    thaw: async () => {},
    unmount,
  };
}

/** What a driver mounts with, and how it keeps its volumes. */
export interface Backend {
  readonly mounts: Mounts;
  readonly backing: Backing;
}

export type NodeCall = keyof (typeof nodeService)["methods"];
/** Called with each call of the node service, before and after it is done; a promise that does not settle holds it. */
export type OnCall = (call: NodeCall, when: "before" | "after") => Promise<void> | void;

export interface TestDriver {
  readonly name: string;
  readonly controller: RemoteService<typeof controllerService>["call"];
  /** The calls of the node service that were made, in order, but those that only ask. */
  readonly calls: readonly NodeCall[];
  onCall(listener: OnCall): void;
  /** Ends it; what is mounted stays. */
  stop(): void;
  /** Begins to serve and registers, also after a stop. */
  start(): Promise<void>;
}

/** A driver beside the kubelet of `stateDir`, with its volumes in `root`. It is started. */
export async function testDriver(stateDir: string, root: string, { mounts, backing }: Backend): Promise<TestDriver> {
  const { name } = localDriver;
  const socketPath = join(stateDir, "plugins", name, "csi.sock");
  const registrationPath = join(stateDir, "plugins_registry", `${name}-reg.sock`);
  const calls: NodeCall[] = [];
  let onCall: OnCall = () => {};
  let listening: readonly Listening[] = [];
  /** Of a process that begins: calls of the one before it are not waited for. */
  const newContext = async (): Promise<DriverContext> => ({
    profile: localDriver,
    store: await openStore(root, nodeName),
    ...{ mounts, backing, node: nodeName, serial: serial(), clock: world.clock },
  });
  const observed = (call: NodeCall, handler: (request: never) => Promise<object>) => async (request: never) => {
    if (!call.startsWith("NodeGet")) calls.push(call);
    await onCall(call, "before");
    const response = await handler(request);
    await onCall(call, "after");
    return response;
  };
  const observedNode = (context: DriverContext) => {
    const { service, handlers } = implement(nodeService, nodeHandlers(context));
    const names = Object.keys(nodeService.methods) as readonly NodeCall[];
    return { service, handlers: Object.fromEntries(names.map((n) => [n, observed(n, handlers[n]!)])) };
  };
  const registration = implement(registrationService, {
    GetInfo: async () => ({ type: "CSIPlugin", name, endpoint: socketPath, supportedVersions: ["1.0.0"] }),
    NotifyRegistrationStatus: async () => ({}),
  });
  const start = async (): Promise<void> => {
    for (const path of [socketPath, registrationPath]) {
      mkdirSync(dirname(path), { recursive: true });
      rmSync(path, { force: true });
    }
    const context = await newContext();
    const services = [
      implement(identityService, identityHandlers(localDriver)),
      implement(controllerService, controllerHandlers(context)),
      observedNode(context),
    ];
    listening = [await listen(socketPath, services), await listen(registrationPath, [registration])];
  };
  await start();
  return {
    name,
    controller: connectTo(socketPath, controllerService, world.clock).call,
    calls,
    onCall: (listener) => {
      onCall = listener;
    },
    stop() {
      for (const server of listening) server.close();
    },
    start,
  };
}

/** The paths below a folder, without those of the pods' own files. While folders are being removed, the folder itself. */
export function pathsBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  try {
    return (readdirSync(folder, { recursive: true }) as string[]).toSorted();
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return [folder];
    throw e;
  }
}
