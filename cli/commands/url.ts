// orrery url: prints the addresses at which a service answers outside the cluster.
import type { Command } from "commander";
import { conditionOf } from "../../api/core/pod/status.ts";
import type { Node, Service } from "../../api/generated/types.ts";
import { CliError } from "../cli-error.ts";
import { session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { printLine } from "../program/output.ts";

type Port = NonNullable<Service["spec"]["ports"]>[number];

const scheme = ({ name = "", port }: Port): string =>
  name.startsWith("https") || port === 443 || port === 8443 ? "https" : "http";
const url = (host: string, port: number, of: Port): string => {
  const isUsual = port === (scheme(of) === "https" ? 443 : 80);
  return `${scheme(of)}://${host.includes(":") ? `[${host}]` : host}${isUsual ? "" : `:${port}`}`;
};

const addressOf = ({ status }: Node): string | undefined =>
  status?.addresses?.find(({ type }) => type === "InternalIP")?.address;

/** The addresses of a service: its load balancer's, or the node ports of a node. Throws CliError when it has none. */
export function urlsOf({ metadata, spec, status }: Service, nodes: readonly Node[]): readonly string[] {
  const ports = (spec.ports ?? []).filter(({ protocol = "TCP" }) => protocol === "TCP");
  if (spec.type === "ExternalName") return [`http://${spec.externalName}`];
  const balancers = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }) => ip ?? hostname ?? []);
  if (balancers.length > 0) return balancers.flatMap((host) => ports.map((port) => url(host, port.port, port)));
  const exposed = ports.filter(({ nodePort }) => nodePort);
  if (exposed.length === 0)
    throw new CliError(
      `service "${metadata.name}" answers inside the cluster only`,
      `Forward a port to it, or give it a port of the nodes: orrery patch svc/${metadata.name} -p '{"spec":{"type":"NodePort"}}'`,
    );
  const isReady = ({ status: s }: Node): boolean => conditionOf(s?.conditions, "Ready")?.status === "True";
  const node = nodes.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a))).find(addressOf);
  if (!node) throw new CliError("no node has an address", "See them with: orrery get nodes -o wide");
  return exposed.map((port) => url(addressOf(node)!, port.nodePort!, port));
}

/** Adds `url` to the program. */
export const register = (program: Command): void => {
  program
    .command("url [service]")
    .addHelpText("after", '\nExamples:\n  orrery url frontend\n  curl "$(orrery url frontend -n guestbook)"')
    .action(async (name: string | undefined, flags: GlobalFlags) => {
      if (name === undefined) throw new CliError("say which service", "For example: orrery url frontend");
      const scope = await session(flags);
      const [target] = await targetsOf(scope, [name], {}, { defaultType: "services" });
      if (target!.resource.kind !== "Service")
        throw new CliError(
          `${target!.resource.plural} have no address of their own`,
          "Name a service: orrery url NAME",
        );
      const service = await scope.api.get<Service>(targetPath(target!));
      const nodes = await scope.api.list<Node>("/api/v1/nodes");
      for (const line of urlsOf(service, nodes)) printLine(line);
    });
};
