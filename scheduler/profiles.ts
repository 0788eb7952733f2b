// Profiles: the plugins by which the pods of one scheduler name are scheduled.
import type { Pod } from "../api/generated/types.ts";
import type { Client } from "../machinery/client.ts";
import { eventRecorder, type EventRecorder } from "../machinery/events.ts";
import type { World } from "../machinery/world.ts";
import type { SchedulerPlugin } from "./framework.ts";

export interface ProfileOptions {
  /** The default profile: the name that pods call it by, and its plugins. */
  readonly name?: string;
  readonly plugins: readonly SchedulerPlugin[];
  /** Further profiles, by the `schedulerName` of their pods. */
  readonly profiles?: Readonly<Record<string, readonly SchedulerPlugin[]>>;
}
export interface Profile {
  readonly name: string;
  readonly plugins: readonly SchedulerPlugin[];
  readonly events: EventRecorder;
}
/** Nothing for a pod that another scheduler takes care of. */
export type Profiles = (pod: Pod) => Profile | undefined;

/** Events are recorded under the profile's name. */
export function profilesOf(
  { name: defaultName = "default-scheduler", plugins, profiles = {} }: ProfileOptions,
  client: Client,
  world: World,
): Profiles {
  const all = new Map<string, Profile>();
  for (const [name, own] of Object.entries({ ...profiles, [defaultName]: plugins }))
    all.set(name, { name, plugins: own, events: eventRecorder(client, world, { component: name }) });
  return ({ spec }) => all.get(spec.schedulerName ?? defaultName);
}
