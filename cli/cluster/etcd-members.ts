// Replaces a member of an etcd cluster that lost its data, through the JSON gateway of a member that is alive.
import { CliError } from "../cli-error.ts";
import { runIn } from "./containers.ts";
import { nodeConfigDir } from "./config.ts";
import { etcdEndpoint, type Place, peerUrl } from "./control-planes.ts";

interface Member {
  readonly ID: string;
  /** Absent while the member has never been started. */
  readonly name?: string;
  readonly peerURLs?: readonly string[];
}

/** A program for the member's container: posts with the certificate of the API server there. */
const post = (url: string, body: string): string => `
  const { readFileSync } = require("node:fs");
  const file = (name) => readFileSync("${nodeConfigDir}/" + name);
  const tls = { ca: file("etcd-clients-ca.crt"), cert: file("etcd-client.crt"), key: file("etcd-client.key") };
  const call = require("node:https").request(${JSON.stringify(url)}, { method: "POST", ...tls }, (response) => {
    response.pipe(process.stdout);
    response.on("end", () => (process.exitCode = response.statusCode === 200 ? 0 : 1));
  });
  call.on("error", (e) => { console.error(e.message); process.exitCode = 1; });
  call.end(${JSON.stringify(body)});
`;

async function gateway<T>(container: string, path: string, body: object): Promise<T> {
  const command = ["node", "-e", post(`${etcdEndpoint}/v3/cluster/member/${path}`, JSON.stringify(body))];
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
