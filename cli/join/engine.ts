// Whether the container engine of a machine is configured for the node that it is to be.
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import type { AgentConfig } from "../cluster/config.ts";
import { run } from "../cluster/subprocess.ts";

/** Throws CliError unless the engine runs, gives pods addresses of the node's range, and has the image of sandboxes. */
export async function checkEngine(config: AgentConfig, configDir: string): Promise<void> {
  const docker = (...args: readonly string[]): Promise<string> =>
    run(["docker", "--host", `unix://${config.dockerSocket}`, ...args], { timeoutMs: 20_000 });
  await docker("version").catch((e: Error) => {
    throw new CliError(
      `the container engine does not respond: ${e.message}`,
      "Install and start Docker 20.10 or newer.",
    );
  });
  const range = (
    await docker("network", "inspect", "--format", "{{range .IPAM.Config}}{{.Subnet}}{{end}}", "bridge")
  ).trim();
  if (range !== config.podCidr)
    throw new CliError(
      `the engine gives containers addresses of ${range}, and the node's pods have ${config.podCidr}`,
      `Start the engine with the configuration ${join(configDir, "dockerd.json")}, as /etc/docker/daemon.json, and run this again.`,
    );
  await docker("image", "inspect", config.pauseImage).catch(() => {
    throw new CliError(
      `the engine has no image ${config.pauseImage}, in which pods begin`,
      `Copy it from a machine with a cluster: docker save ${config.pauseImage} | ssh THIS docker load`,
    );
  });
}
