// What a machine must have to be a node, checked before it joins, with an advice for each thing it lacks.
import { networkInterfaces } from "node:os";
import type { Node } from "../../api/generated/types.ts";
import { addressOf } from "../../api/core/nodes.ts";
import { CliError } from "../cli-error.ts";
import { overlap } from "../cluster/subnet.ts";
import { run } from "../cluster/subprocess.ts";

/** An address of this machine, and the network it is directly attached to. */
export interface Attachment {
  readonly name: string;
  readonly address: string;
  readonly cidr: string;
}

/** The IPv4 addresses of this machine. */
export const attachments = (): readonly Attachment[] =>
  Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).flatMap(({ family, address, cidr }) =>
      family === "IPv4" && cidr ? [{ name, address, cidr }] : [],
    ),
  );

const programs: readonly (readonly [command: readonly string[], name: string])[] = [
  [["ip", "-V"], "ip, from the package iproute2"],
  [["nft", "--version"], "nft, from the package nftables"],
  [["conntrack", "--version"], "conntrack"],
];

/** Throws CliError unless this is Linux, the user is root, and the programs of a node are installed. */
export async function checkMachine(platform: string, uid: number | undefined): Promise<void> {
  if (platform !== "linux")
    throw new CliError("only machines with Linux can join", "Run this in a virtual machine or a container with Linux.");
  if (uid !== 0)
    throw new CliError("a node writes routes, packet filters and mounts, which only root may", "Run this as root.");
  for (const [command, name] of programs)
    await run(command, { timeoutMs: 5_000 }).catch(() => {
      throw new CliError(`the program ${name}, is missing`, "Install it, and run this again.");
    });
}

const sizeOf = (cidr: string): string => cidr.slice(cidr.indexOf("/"));
const isSameRange = (one: string, other: string): boolean => sizeOf(one) === sizeOf(other) && overlap(one, other);

/**
 * Throws CliError when a network of this machine overlaps the cluster's ranges. `own` is the node's part of them, if it
 * has joined before.
 */
export function checkRanges(
  all: readonly Attachment[],
  { podRange, serviceRange }: Readonly<Record<"podRange" | "serviceRange", string>>,
  own: string | undefined,
): void {
  for (const range of [podRange, serviceRange]) {
    const other = all.find(({ cidr }) => overlap(cidr, range) && !(own && isSameRange(cidr, own)));
    if (other)
      throw new CliError(
        `the network ${other.cidr} of ${other.name} overlaps ${range}, which the cluster uses`,
        "Move that network to another range; the cluster's are fixed.",
      );
  }
}

/** Throws CliError when other nodes are not in a network of this machine: routes to their pods lead through them. */
export function checkNeighbours(all: readonly Attachment[], nodes: readonly Node[]): void {
  const far = nodes.flatMap((node) => {
    const address = addressOf(node, "InternalIP");
    return address === undefined || all.some(({ cidr }) => overlap(cidr, address))
      ? []
      : [`${node.metadata.name} (${address})`];
  });
  if (far.length === 0) return;
  const networks = all.map(({ cidr }) => cidr).filter((cidr) => !cidr.startsWith("127."));
  throw new CliError(
    `these nodes are in no network of this machine, so their pods could not be reached: ${far.join(", ")}`,
    `This machine is in ${networks.join(", ")}. Attach it to the network of the nodes.`,
  );
}
