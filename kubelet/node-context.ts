// What the pod workers of a node share: API client, engine, events, referenced objects and the node's properties.
import type { Pod, Service } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import type { DecisionLog } from "../machinery/decisions.ts";
import type { EventRecorder } from "../machinery/events.ts";
import type { World } from "../machinery/world.ts";
import type { DeviceClaims } from "./devices/device-claims.ts";
import type { NameSettings } from "./podspec/names-and-dns.ts";
import type { Rejection } from "./admission.ts";
import type { PendingResize } from "./podspec/resources.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import type { ContainerRuntime, RegistryCredentials } from "./runtime.ts";
import type { CsiMounter } from "./volumes/csi/mounter.ts";
import type { LocalDevices } from "./volumes/local-devices.ts";
import type { SubPathMounts } from "./volumes/sub-path-mounts.ts";

export interface NodeContext {
  readonly world: World;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly events: EventRecorder;
  /** The last decisions about each pod, for explanations. */
  readonly decisions: DecisionLog;
  readonly objects: ReferencedObjects;
  readonly csi: CsiMounter;
  readonly devices: DeviceClaims;
  readonly localDevices: LocalDevices;
  readonly subPaths: SubPathMounts;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly stateDir: string;
  readonly names: NameSettings;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Folders of CDI specifications, the most important last. */
  readonly cdiFolders: readonly string[];
  /** Whether the engine makes mounts recursively read-only. */
  recursiveReadOnlyMounts(): boolean;
  services(): readonly Service[];
  /** Pulls an image; concurrent requests for the same one share a pull. */
  pull(image: string, as: RegistryCredentials | undefined, signal: AbortSignal): Promise<void>;
  /** Resolves when the network enforces the policies of a pod at its address. */
  admitToNetwork(pod: Pod, address: string): Promise<void>;
  /** Admits a pod, or returns the reason of its rejection. */
  admit(pod: Pod): Rejection | undefined;
  /** Why the node cannot give a running pod the resources of its spec now. */
  fits(pod: Pod): PendingResize | undefined;
}
