// Whether the container engine of a machine is configured for the node that it is to be.
import { join } from "node:path";
import { CliError } from "../cli-error.ts";
import { type AgentConfig, pauseImage } from "../cluster/config.ts";
import { run } from "../cluster/subprocess.ts";

const docker = (socket: string, ...args: readonly string[]): Promise<string> =>
  run(["docker", "--host", `unix://${socket}`, ...args], { timeoutMs: 20_000 });

/** Throws CliError unless the engine runs and has the image of sandboxes. */
export async function checkEngine(socket: string): Promise<void> {
  await docker(socket, "version").catch((e: Error) => {
    throw new CliError(
      `the container engine does not respond: ${e.message}`,
      "Install and start Docker 20.10 or newer.",
    );
  });
  await docker(socket, "image", "inspect", pauseImage).catch(() => {
    throw new CliError(
      `the engine has no image ${pauseImage}, in which pods begin`,
      `Copy it from a machine with a cluster: docker save ${pauseImage} | ssh THIS docker load`,
    );
  });
}

/** Throws CliError unless the engine gives containers addresses of the node's range, which is known once it joined. */
export async function checkEngineRange(
  config: Pick<AgentConfig, "dockerSocket" | "podCidr">,
  configDir: string,
): Promise<void> {
  const format = "{{range .IPAM.Config}}{{.Subnet}}{{end}}";
  const range = (await docker(config.dockerSocket, "network", "inspect", "--format", format, "bridge")).trim();
  if (range !== config.podCidr)
    throw new CliError(
      `the engine gives containers addresses of ${range}, and the node's pods have ${config.podCidr}`,
      `Start the engine with the configuration ${join(configDir, "dockerd.json")}, as /etc/docker/daemon.json, and run this again.`,
    );
}
