// What all pods of a node share: the doors to the engine and the cluster, and the node's own facts.
import type { Pod, Service } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import type { EventRecorder } from "../machinery/events.ts";
import type { World } from "../machinery/world.ts";
import type { NameSettings } from "./podspec/names-and-dns.ts";
import type { Rejection } from "./admission.ts";
import type { PendingResize } from "./podspec/resize.ts";
import type { ReferencedObjects } from "./referenced-objects.ts";
import type { ContainerRuntime, RegistryCredentials } from "./runtime.ts";

export interface NodeContext {
  readonly world: World;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly events: EventRecorder;
  readonly objects: ReferencedObjects;
  readonly nodeName: string;
  readonly nodeIp: string;
  readonly stateDir: string;
  readonly names: NameSettings;
  readonly allocatable: Readonly<Record<string, string>>;
  services(): readonly Service[];
  /** Gets an image; requests for the same one share a pull. */
  pull(image: string, as: RegistryCredentials | undefined, signal: AbortSignal): Promise<void>;
  /** May a pod seen for the first time run here? */
  admit(pod: Pod): Rejection | undefined;
  /** What keeps a pod that runs here from what it asks for now, if anything does. */
  fits(pod: Pod): PendingResize | undefined;
}
