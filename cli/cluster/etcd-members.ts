// Replaces a member of an etcd cluster that lost its data, through the JSON gateway of a member that is alive.
import { CliError } from "../cli-error.ts";
import { runIn } from "./containers.ts";
import { type Place, peerUrl } from "./control-planes.ts";

interface Member {
  readonly ID: string;
  /** Absent while the member has never been started. */
  readonly name?: string;
  readonly peerURLs?: readonly string[];
}

async function gateway<T>(container: string, path: string, body: object): Promise<T> {
  const url = `http://127.0.0.1:2379/v3/cluster/member/${path}`;
  const command = ["busybox", "wget", "-q", "-O", "-", "--post-data", JSON.stringify(body), url];
  return JSON.parse(await runIn(container, command)) as T;
}

/**
 * Removes the member that was at this place, and adds an empty one for it. Needs a majority, with `alive` among it.
 * Throws CliError.
 */
export async function replaceMember(place: Place, alive: Place): Promise<void> {
  try {
    const { members } = await gateway<{ readonly members: readonly Member[] }>(alive.name, "list", {});
    const url = peerUrl(place);
    for (const { ID } of members.filter(({ peerURLs = [] }) => peerURLs.includes(url)))
      await gateway(alive.name, "remove", { ID });
    await gateway(alive.name, "add", { peerURLs: [url] });
  } catch (error) {
    throw new CliError(
      `the etcd member of ${place.name} cannot be replaced: ${(error as Error).message}`,
      "Most of the control planes have to be running.",
    );
  }
}
