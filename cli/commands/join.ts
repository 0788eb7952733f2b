// orrery join: makes this machine a node of a cluster that runs elsewhere.
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { nodeConfigDir } from "../cluster/config.ts";
import { parseCpus, parseMemory } from "../cluster/size.ts";
import { checkEngineRange } from "../join/engine.ts";
import { joinCluster } from "../join/join.ts";
import { strings } from "../program/flag-values.ts";
import { interruption, realIo } from "./cluster-option.ts";

interface Flags {
  readonly token: string;
  readonly discoveryTokenCaCertHash: readonly string[];
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly nodeCpus?: string;
  readonly nodeMemory?: string;
  readonly configDir: string;
  readonly stateDir: string;
  readonly dockerSocket: string;
  readonly prepare?: boolean;
}

/** The URL of an API server, which may be written as `HOST:PORT`. */
function urlOf(text: string): string {
  const url = URL.parse(text.includes("://") ? text : `https://${text}`);
  if (url?.protocol === "https:") return url.origin;
  throw new CliError(`"${text}" is no address of an API server`, "Write it like 172.30.0.2:6443 or https://HOST:PORT.");
}

async function join(server: string, flags: Flags): Promise<void> {
  const io = realIo();
  const signal = interruption();
  const options = {
    ...{ server: urlOf(server), token: flags.token, hashes: flags.discoveryTokenCaCertHash },
    ...{ nodeName: flags.nodeName, nodeIp: flags.nodeIp },
    cpus: flags.nodeCpus === undefined ? undefined : parseCpus(flags.nodeCpus, availableParallelism()),
    memoryBytes: flags.nodeMemory === undefined ? undefined : parseMemory(flags.nodeMemory),
    ...{ configDir: flags.configDir, stateDir: flags.stateDir, dockerSocket: flags.dockerSocket },
    needsEngine: !flags.prepare,
  };
  const config = await joinCluster(options, io, signal);
  if (flags.prepare) return io.progress.say(`The configuration of node "${config.nodeName}" is in ${flags.configDir}.`);
  await io.progress.step("container engine ready", () => checkEngineRange(config, flags.configDir));
  io.progress.say(`Node "${config.nodeName}" joins; it is one as long as this command runs. orrery get nodes`);
  const [{ runNodeAgent }, { runCsiDrivers }] = await Promise.all([
    import("../node-agent.ts"),
    import("../csi-drivers.ts"),
  ]);
  await Promise.all([runNodeAgent(config, signal), runCsiDrivers(config, signal)]).catch((e: unknown) => {
    if (!signal.aborted) throw e;
  });
}

/** Adds `join` to the program. */
export const register = (program: Command): void => {
  program
    .command("join <server>")
    .summary("make this machine a node of a cluster that runs elsewhere")
    .description(
      "Trusts the cluster whose authority the token has signed and whose key has the hash, gets a certificate, and runs a node.",
    )
    .requiredOption("--token <token>", "a token of the cluster, from orrery token create")
    .requiredOption(
      "--discovery-token-ca-cert-hash <hash>",
      "the hash of the key of its authority: sha256:...",
      strings,
    )
    .option("--node-name <name>", "the node's name; the name of the machine by default")
    .option("--node-ip <address>", "the node's address; that from which it reaches the server by default")
    .option("--node-cpus <n>", "processors the node offers to pods, such as 2 or 500m")
    .option("--node-memory <amount>", "memory the node offers to pods, such as 2Gi")
    .option("--config-dir <folder>", "where the node's configuration is written", nodeConfigDir)
    .option("--state-dir <folder>", "where the node keeps its certificates and volumes", "/var/lib/orrery")
    .option("--docker-socket <path>", "the socket of the container engine", "/var/run/docker.sock")
    .option("--prepare", "only join and write the configuration, for an engine and an agent that are started with it")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery token create --print-join-command\n  orrery join 172.30.0.2:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:...",
    )
    .action(join);
};
